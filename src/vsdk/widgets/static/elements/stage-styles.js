/** The look of the visit itself. The picture is dark in both themes; it follows the element's size, not the window's. */

import { sheet } from '../ui/styles.js';

export const stageSheet = sheet(`
:host { background: #10171c; container-type: size; }
.main { block-size: 100%; }
.stage { position: relative; display: flex; flex-direction: column; block-size: 100%; }
.body { position: relative; flex: 1; display: flex; min-block-size: 0; }
.picture { position: relative; flex: 1; min-inline-size: 0; }
.drawer {
  display: flex; flex-direction: column; gap: 8px; inline-size: 22rem; padding: 8px 16px 16px;
  color: var(--vsdk-text); background: var(--vsdk-raised); border-inline-start: 1px solid var(--vsdk-line);
}
.drawer .head { display: flex; justify-content: space-between; align-items: center; }
.drawer vsdk-chat { flex: 1; min-block-size: 0; }
@container (max-width: 52rem) { .drawer { position: absolute; inset: 0; z-index: 1; inline-size: auto; border: 0; } }
.bar .message { position: relative; }
.bar .count {
  position: absolute; inset-block-start: 4px; inset-inline-start: calc(50% + 8px); min-inline-size: 22px; padding: 1px 6px;
  color: var(--vsdk-on-danger); background: var(--vsdk-danger); border-radius: 11px; font-weight: 700;
}
.remotes { position: absolute; inset: 0; display: grid; grid-auto-flow: row; grid-auto-rows: 1fr; gap: 4px; }
@container (min-width: 40rem) { .remotes { grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); } }
.remote { position: relative; min-block-size: 0; overflow: hidden; background: #10171c; }
.remote video { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: contain; }
@container (max-aspect-ratio: 3/4) { .remote:only-child video:not([part="screen"]) { object-fit: cover; } }
.remote.sharing video[part="remote"] {
  inset: 60px auto auto 8px; inline-size: clamp(96px, 22%, 200px); block-size: auto; aspect-ratio: 4 / 3;
  object-fit: cover; border: 2px solid #ffffff; border-radius: 8px; background: #10171c;
}
.chips { position: absolute; inset-block-start: 8px; inset-inline-start: 8px; display: flex; gap: 8px; }
.chips > * {
  display: flex; gap: 6px; align-items: center; min-block-size: 44px; padding: 4px 12px; border: 0;
  color: #ffffff; background: rgb(10 16 20 / 0.75); border-radius: 8px; font-weight: 400; font-variant-numeric: tabular-nums;
}
.chips button:hover { background: #000000; }
.chips button.different { color: #ffffff; background: var(--vsdk-danger); font-weight: 600; }
.chips .icon { inline-size: 18px; block-size: 18px; }
.digits { font-size: 2.5rem; line-height: 1.2; font-weight: 650; letter-spacing: 0.08em; font-variant-numeric: tabular-nums; }
.symbols { font-size: 2rem; letter-spacing: 0.1em; }
.name {
  position: absolute; inset-block-end: 8px; inset-inline-start: 8px; max-inline-size: 60%;
  display: flex; flex-wrap: wrap; gap: 2px 12px; padding: 4px 10px;
  color: #ffffff; background: rgb(10 16 20 / 0.75); border-radius: 8px; font-weight: 600;
}
.name .status { font-weight: 400; }
.covered {
  position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 12px;
  max-inline-size: none; color: #eaf0f3; background: #1b262d;
}
.covered .icon { inline-size: 64px; block-size: 64px; }
.away {
  position: absolute; inset-block-start: 60px; inset-inline: 12px; display: grid; gap: 8px; justify-items: center;
  padding: 12px 16px; color: #eaf0f3; background: rgb(16 23 28 / 0.9); border-radius: var(--vsdk-radius); text-align: center;
}
.away.covers { inset: 0; align-content: center; background: #1b262d; border-radius: 0; }
.ways { display: flex; flex-wrap: wrap; gap: 8px; justify-content: center; align-items: start; }
.number { display: grid; gap: 8px; justify-items: center; }
.number[hidden] { display: none; }
.ways > [role="status"]:not(:empty) { flex: 1 0 100%; }
.badge {
  position: absolute; inset-block-start: 60px; inset-inline-start: 50%; transform: translateX(-50%);
  inline-size: max-content; max-inline-size: calc(100% - 24px); padding: 8px 14px;
  color: var(--vsdk-text); background: var(--vsdk-raised); border-radius: var(--vsdk-radius);
}
.alone {
  position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 16px; padding: 24px;
  text-align: center; color: #eaf0f3;
}
button.self {
  position: absolute; inline-size: clamp(96px, 26%, 220px); aspect-ratio: 4 / 3; padding: 0; overflow: hidden;
  background: #10171c; border: 2px solid #ffffff;
}
button.self video { inline-size: 100%; block-size: 100%; object-fit: cover; }
button.self.mirror video { transform: scaleX(-1); }
.bottom-end { inset-block-end: 8px; inset-inline-end: 8px; }
.top-end { inset-block-start: 8px; inset-inline-end: 8px; }
.top-start { inset-block-start: 60px; inset-inline-start: 8px; }
.bottom-start { inset-block-end: 52px; inset-inline-start: 8px; }
.sound { position: absolute; inset-block-start: 75%; inset-inline-start: 50%; transform: translate(-50%, -50%); }
.over { display: grid; }
.over .notice { align-items: center; max-inline-size: none; border-radius: 0; border-inline-end: 0; border-block-end: 0; }
.over .notice > span { flex: 1; }
.bar { padding-block-end: max(8px, env(safe-area-inset-bottom)); }
.bar button { flex: 0 1 auto; }
.settings .stack { gap: 12px; justify-items: stretch; }
.settings .choice { display: flex; gap: 12px; align-items: center; min-block-size: 44px; }
.settings .choices { gap: 0; }
.settings summary { min-block-size: 44px; align-content: center; cursor: pointer; }
.settings meter { inline-size: 100%; block-size: 16px; }
@container (max-width: 30rem) {
  .bar { gap: 2px; flex-wrap: nowrap; padding-inline: 4px; }
  .bar button { min-inline-size: 0; flex: 1 1 0; padding-inline: 0; justify-content: flex-start; overflow-wrap: normal; }
  .bar button.danger { margin-inline-start: 8px; }
}
`);
