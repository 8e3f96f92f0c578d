/**
 * The look of all our elements.
 *
 * Tokens are custom properties with the specificity of nothing: a vendor sets `--vsdk-accent` on `:root` or on
 * any element around ours, and it holds inside. `<html data-vsdk-theme="light">` (or `dark`) fixes the theme.
 *
 * Classes that the elements use:
 *
 * - `button.primary` the one thing to do · `button` an ordinary one · `button.quiet` text only ·
 *   `button.danger` ends something · `.buttons` a group of them
 * - `.bar` controls with an icon and a label below; in it `button[aria-pressed=true]` is on,
 *   `button.off` is switched off, `button.danger` is the red round one, apart from the rest
 * - `.card` a raised block · `.stack` children with even space · `.lead` larger text · `.muted` · `.small`
 * - `.status.good`, `.fair`, `.bad` icon and word in one line · `.notice` (+ `.fair`, `.bad`) a block of advice
 * - `.step` a centred column of readable width · `.field` a label with its input · `.visually-hidden`
 */

/**
 * A style sheet to adopt; our pages forbid inline styles.
 *
 * @param {string} css
 */
export function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

const LIGHT = `
  --vsdk-accent: #0b6570;
  --vsdk-on-accent: #ffffff;
  --vsdk-surface: #f5f7f8;
  --vsdk-raised: #ffffff;
  --vsdk-text: #16212b;
  --vsdk-muted: #51606d;
  --vsdk-line: #d5dce1;
  --vsdk-edge: #75848f;
  --vsdk-good: #176b3a;
  --vsdk-fair: #8a5300;
  --vsdk-bad: #b3261e;
  --vsdk-danger: #c22a22;
  --vsdk-on-danger: #ffffff;
`;

const DARK = `
  --vsdk-accent: #6cc9d6;
  --vsdk-on-accent: #04222a;
  --vsdk-surface: #11181d;
  --vsdk-raised: #1b262d;
  --vsdk-text: #eaf0f3;
  --vsdk-muted: #a7b4bd;
  --vsdk-line: #34434c;
  --vsdk-edge: #7b8b96;
  --vsdk-good: #6fd39a;
  --vsdk-fair: #f2b661;
  --vsdk-bad: #ff9a90;
  --vsdk-danger: #c9332a;
  --vsdk-on-danger: #ffffff;
`;

export const tokens = sheet(`
:where(:root) {
  --vsdk-radius: 12px;
  --vsdk-font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --vsdk-size-1: 0.875rem;
  --vsdk-size-2: 1.0625rem;
  --vsdk-size-3: 1.25rem;
  --vsdk-size-4: 1.5rem;
  --vsdk-size-5: 1.875rem;
  ${LIGHT}
}
@media (prefers-color-scheme: dark) { :where(:root:not([data-vsdk-theme="light"])) { ${DARK} } }
:where(:root[data-vsdk-theme="dark"]) { ${DARK} }
`);

export const base = sheet(`
:host {
  display: block;
  font: 400 var(--vsdk-size-2)/1.5 var(--vsdk-font);
  color: var(--vsdk-text);
  background: var(--vsdk-surface);
  text-align: start;
  overflow-wrap: anywhere;
  -webkit-text-size-adjust: 100%;
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
.numbered { list-style: decimal; padding-inline-start: 1.5em; }
h1, h2, button, .button { hyphens: auto; }
h1 { font-size: var(--vsdk-size-5); line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: var(--vsdk-size-4); line-height: 1.25; font-weight: 650; }
h3 { font-size: var(--vsdk-size-3); line-height: 1.3; font-weight: 600; }
h1:focus, h2:focus, h3:focus { outline: none; }
p, li { max-width: 65ch; }
a { color: var(--vsdk-accent); text-underline-offset: 0.15em; }
.icon { flex: none; display: block; }
.lead { font-size: var(--vsdk-size-3); line-height: 1.4; }
.muted { color: var(--vsdk-muted); }
.small { font-size: var(--vsdk-size-1); }
.stack { display: grid; gap: 16px; justify-items: start; }
.stack > * { max-width: 100%; }
.step { display: grid; grid-template-columns: minmax(0, 1fr); gap: 20px; width: 100%; max-width: 36rem; margin-inline: auto; padding: 24px 16px 32px; }
.card {
  background: var(--vsdk-raised); border: 1px solid var(--vsdk-line);
  border-radius: var(--vsdk-radius); padding: 16px;
}
.chat summary { cursor: pointer; min-height: 28px; font-weight: 600; }
.chat[open] summary { margin-block-end: 12px; }
.chat .count { margin-inline-start: 12px; color: var(--vsdk-accent); }
.visually-hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; border: 0;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}

button, .button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px;
  min-height: 44px; min-width: 44px; padding: 8px 16px;
  font: inherit; font-weight: 600; line-height: 1.25; text-align: center; text-decoration: none;
  color: var(--vsdk-text); background: var(--vsdk-raised);
  border: 1px solid var(--vsdk-edge); border-radius: var(--vsdk-radius); cursor: pointer;
  -webkit-tap-highlight-color: transparent; touch-action: manipulation;
}
button:hover { background: color-mix(in srgb, var(--vsdk-text) 7%, var(--vsdk-raised)); }
button:active { transform: translateY(1px); }
button:disabled { opacity: 0.55; cursor: default; transform: none; }
button.primary, .button.primary {
  color: var(--vsdk-on-accent); background: var(--vsdk-accent); border-color: transparent;
  min-height: 56px; padding: 12px 24px; font-size: var(--vsdk-size-3);
}
button.primary:hover { background: color-mix(in srgb, var(--vsdk-text) 14%, var(--vsdk-accent)); }
button.quiet { color: var(--vsdk-accent); background: transparent; border-color: transparent; padding-inline: 12px; }
button.quiet:hover { background: color-mix(in srgb, var(--vsdk-accent) 10%, transparent); }
button.danger { color: var(--vsdk-on-danger); background: var(--vsdk-danger); border-color: transparent; }
button.danger:hover { background: color-mix(in srgb, #000000 14%, var(--vsdk-danger)); }
.buttons { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
@media (max-width: 30rem) { .step > .primary, .step > .buttons > .primary { width: 100%; } }

.bar {
  display: flex; flex-wrap: wrap; justify-content: center; gap: 4px 8px;
  padding: 8px; background: var(--vsdk-raised); border-top: 1px solid var(--vsdk-line);
}
.bar button {
  flex-direction: column; gap: 4px; min-width: 72px; min-height: 64px; padding: 6px 8px;
  font-size: var(--vsdk-size-1); font-weight: 500; background: transparent; border-color: transparent;
  color: var(--vsdk-text);
}
.bar button:hover { background: color-mix(in srgb, var(--vsdk-text) 8%, transparent); }
.bar button .icon {
  box-sizing: content-box; padding: 8px; border-radius: 50%;
  background: color-mix(in srgb, var(--vsdk-text) 9%, transparent);
}
.bar button[aria-pressed="true"] .icon { color: var(--vsdk-on-accent); background: var(--vsdk-accent); }
.bar button.off .icon { color: var(--vsdk-surface); background: var(--vsdk-text); }
.bar button.danger { margin-inline-start: 16px; }
.bar button.danger .icon { color: var(--vsdk-on-danger); background: var(--vsdk-danger); }
@media (max-width: 30rem) {
  .bar { gap: 4px; }
  .bar button { max-width: 5.25rem; hyphens: auto; }
  .bar button.danger { margin-inline-start: 8px; }
}

.status { display: inline-flex; align-items: center; gap: 6px; font-weight: 500; }
.status .icon { width: 20px; height: 20px; }
.status.good, .good > .icon { color: var(--vsdk-good); }
.status.fair, .fair > .icon { color: var(--vsdk-fair); }
.status.bad, .bad > .icon { color: var(--vsdk-bad); }
.notice {
  display: flex; gap: 12px; align-items: flex-start; padding: 12px 16px;
  background: var(--vsdk-raised); border: 1px solid var(--vsdk-line);
  border-inline-start: 4px solid var(--vsdk-accent); border-radius: var(--vsdk-radius);
}
.notice.fair { border-inline-start-color: var(--vsdk-fair); }
.notice.bad { border-inline-start-color: var(--vsdk-bad); }

.field { display: grid; gap: 4px; }
.field label { font-weight: 600; }
input, select, textarea {
  width: 100%; min-height: 48px; padding: 8px 12px; font: inherit; color: var(--vsdk-text);
  background: var(--vsdk-raised); border: 1px solid var(--vsdk-edge); border-radius: var(--vsdk-radius);
}
input[type="checkbox"], input[type="radio"] { width: 24px; min-height: 24px; accent-color: var(--vsdk-accent); }
:focus-visible { outline: 3px solid var(--vsdk-accent); outline-offset: 2px; }
dialog {
  color: inherit; background: var(--vsdk-raised); border: 1px solid var(--vsdk-line);
  border-radius: var(--vsdk-radius); padding: 20px; width: min(32rem, calc(100vw - 32px));
}
dialog::backdrop { background: rgb(0 0 0 / 0.5); }
@media (prefers-reduced-motion: no-preference) {
  button, .button { transition: background-color 120ms; }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important; scroll-behavior: auto !important; }
}
@media (forced-colors: active) { .bar button .icon, .status .icon { forced-color-adjust: auto; } }
`);
