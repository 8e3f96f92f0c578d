/** The look of the practice's list. It follows the width of the element, not of the window. */

import { sheet } from '../ui/styles.js';

const DIALOGS = `
dialog { max-height: calc(100dvh - 32px); overflow-y: auto; }
dialog.wide { width: min(44rem, calc(100vw - 32px)); }
dialog h2 { font-size: var(--vsdk-size-3); }
dialog h3 { font-size: var(--vsdk-size-2); }
.dialog-head {
  display: flex; gap: 8px; align-items: flex-start; justify-content: space-between; width: 100%; margin-block-end: 8px;
}
.dialog-head.end { justify-content: flex-end; margin: 0; }
.dialog-head h2 { padding-block: 8px; }
.dialog-head .quiet { flex: none; padding-inline: 8px; margin: 0 -8px 0 0; }
.choices { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 8px; width: 100%; }
.choices button { flex-direction: column; gap: 0; min-height: 64px; font-weight: 400; }
.choices button[aria-pressed="true"] { outline: 2px solid var(--vsdk-accent); }
.messages { width: 100%; }
.messages li {
  display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; max-width: none; padding-block: 12px;
  border-block-start: 1px solid var(--vsdk-line);
}
.messages .about { flex: 1 1 12rem; }
.messages .quiet { padding-inline: 8px; margin-inline: -8px; font-size: var(--vsdk-size-1); }
`;

export const messagesSheet = sheet(`${DIALOGS}
.page { max-width: 44rem; margin-inline: auto; padding: 12px 12px 32px; display: grid; gap: 16px; justify-items: start; }
.page > * { max-width: 100%; }
.page > .quiet { color: var(--vsdk-accent); background: transparent; border-color: transparent; padding-inline: 0 12px; }
.page > .quiet .icon { transform: rotate(90deg); }
.page h3 { font-size: var(--vsdk-size-2); }
.rows { display: grid; gap: 12px; width: 100%; }
.row { max-width: none; }
.about { display: grid; gap: 4px; }
.status { align-items: flex-start; }
.sign-in { max-width: 26rem; }
.sign-in form { display: grid; gap: 16px; }
.problem { display: flex; gap: 8px; color: var(--vsdk-bad); }
.problem:empty { display: none; }
`);

export const practiceSheet = sheet(`${DIALOGS}
:host { container-type: inline-size; min-height: 100%; }
.main { min-height: inherit; }
.list { padding: 12px 12px 32px; max-width: 60rem; margin-inline: auto; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; margin-block-end: 8px; }
.head > div:first-child { flex: 1 1 10rem; }
.head .ways { display: flex; flex-wrap: wrap; }
.sign-out { font-size: var(--vsdk-size-1); }
.search { max-inline-size: 20rem; }
.notices { display: grid; gap: 8px; }
.notices:not(:empty) { margin-block: 8px; }
.notice { align-items: center; flex-wrap: wrap; }
.notice p { flex: 1 1 9rem; }
.list h3 { font-size: var(--vsdk-size-2); font-weight: 600; margin: 20px 0 8px; color: var(--vsdk-muted); }
.rows { display: grid; gap: 8px; }
.row {
  display: grid; grid-template-columns: minmax(3.25rem, max-content) minmax(0, 1fr); gap: 4px 8px;
  align-items: start; padding: 12px; max-width: none;
}
.row.here { border-inline-start: 4px solid var(--vsdk-accent); }
.row.over { background: transparent; }
.row.open { outline: 2px solid var(--vsdk-accent); }
.when { white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; line-height: 1.5; }
.over .when, .over .about h4 { font-weight: 500; color: var(--vsdk-muted); }
.who { display: grid; gap: 12px; }
.person { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
.about { flex: 1 1 12rem; min-width: 0; display: grid; gap: 2px; }
.about h4 { margin: 0; font-size: var(--vsdk-size-2); font-weight: 600; line-height: 1.5; }
.checks { display: flex; flex-wrap: wrap; gap: 2px 12px; }
.actions { display: flex; flex-wrap: wrap; gap: 4px; flex: 0 1 auto; }
.actions:empty { display: none; }
.planned .person { align-items: flex-start; }
.planned .about { flex-basis: 8rem; }
.planned .actions { margin-block: -9px; }
.actions .quiet { padding-inline: 8px; font-size: var(--vsdk-size-1); }
.actions .primary { min-height: 48px; padding: 8px 16px; font-size: var(--vsdk-size-2); }
.line {
  display: flex; justify-content: space-between; gap: 8px; width: 100%; margin-block: -10px; padding: 4px 0;
  text-align: start; font-weight: 500;
  color: var(--vsdk-muted); background: transparent; border-color: transparent; border-radius: 8px;
}
.line > .icon { width: 20px; height: 20px; transform: rotate(-90deg); color: var(--vsdk-muted); }
.line .status { align-items: flex-start; font-weight: 500; }
.line .status.good span { color: var(--vsdk-muted); }
.line.bad, .line .status.bad { color: var(--vsdk-bad); }
.given-up { width: 100%; justify-content: flex-start; text-align: start; border-inline-start: 4px solid var(--vsdk-bad); }
.given-up .icon { color: var(--vsdk-bad); }
.given-up .icon:last-child { color: inherit; margin-inline-start: auto; transform: rotate(-90deg); }
.empty { padding: 8px 0; }
.sign-in { max-width: 26rem; }
.sign-in form { display: grid; gap: 16px; }
.problem { display: flex; gap: 8px; color: var(--vsdk-bad); }
.problem:empty { display: none; }
.visit { display: none; }
.toggle { display: none; }
@container (max-width: 35.99rem) {
  .here .actions { width: 100%; }
  .here .actions .primary { flex: 1 0 100%; }
  .here .actions .quiet { padding-inline: 6px; }
}
@container (min-width: 36rem) {
  .list { padding-inline: 20px; }
  .row { padding: 12px 16px; column-gap: 16px; }
  .actions { flex-direction: row-reverse; }
}

.visiting .sign-out { display: none; }
.visiting .visit { display: block; min-height: inherit; }
.visiting .toggle { display: flex; width: calc(100% - 16px); margin: 8px; justify-content: space-between; text-align: start; }
.visiting .toggle[aria-expanded="true"] .icon { transform: rotate(180deg); }
.visiting:not(.peek) .list { display: none; }
.visiting .list { border-block-end: 1px solid var(--vsdk-line); padding-block-end: 16px; }

/* A narrow window belongs to the visit; in a narrow column beside a PMS it keeps to the column. */
@media (max-width: 48rem) {
  :host([visiting]) { position: fixed; inset: 0; z-index: 1; --vsdk-visit-height: 100%; }
  :host([visiting]) .main { height: 100%; }
  .visiting { display: flex; flex-direction: column; height: 100%; }
  .visiting .toggle { flex: none; }
  .visiting .visit { flex: 1 1 0; min-height: 0; overflow-y: auto; }
  .visiting .list { flex: 0 1 auto; max-height: 60%; overflow-y: auto; width: 100%; }
}
@container (min-width: 60rem) {
  .visiting { display: grid; grid-template-columns: 20rem minmax(0, 1fr); min-height: inherit; align-items: start; }
  .visiting .toggle { display: none; }
  .visiting .list, .visiting:not(.peek) .list {
    display: block; position: sticky; inset-block-start: 0; padding: 12px; margin: 0; overflow-y: auto;
    height: var(--vsdk-visit-height, calc(100dvh - 60px));
    border-block-end: 0; border-inline-end: 1px solid var(--vsdk-line);
  }
  .visiting .row { padding: 12px; column-gap: 8px; }
  .visiting .actions { flex-direction: row; }
}
`);
