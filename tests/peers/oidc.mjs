// A certified OpenID provider, `oidc-provider`: `node oidc.mjs PORT REDIRECT_URI CLIENT_SECRET [userinfo]`.
// Its own pages ask for a login; whoever is named `berg` is a doctor, `meier` at the reception, anyone else nobody.
// POST /rotate makes a new key, and drops the old one. With `userinfo` the ID token holds no roles.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [port, redirect, secret, where] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const PEOPLE = {
  berg: { name: 'Dr. Katharina Berg', roles: ['doctors'] },
  meier: { name: 'Rita Meier', roles: ['reception'] },
};

const newKey = () => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' });

const make = () =>
  new Provider(issuer, {
    clients: [
      {
        client_id: 'vsdk',
        client_secret: secret,
        redirect_uris: [redirect],
        post_logout_redirect_uris: [redirect.replace(/\/signed-in$/, '')],
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'roles'] },
    conformIdTokenClaims: where === 'userinfo',
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [newKey()] },
    pkce: { required: () => true },
    ttl: { Session: 3600, Grant: 3600, Interaction: 3600, AccessToken: 600, IdToken: 600 },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  });

let handle = make().callback();
createServer((request, response) => {
  if (request.url === '/rotate') {
    handle = make().callback();
    response.end('new keys');
  } else handle(request, response);
}).listen(Number(port), 'localhost');
