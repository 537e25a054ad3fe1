import type { EdgeStatus } from './status.ts';
import { headline, statusRows } from './status-text.ts';

const REFRESH_S = 2;

/** The status page of the agent: one sentence that says whether people have to act, then the figures. */
export function statusPage(status: EdgeStatus, now: number): string {
  const { level, text } = headline(status);
  const list = statusRows(status, now).map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_S}"><title>${escaped(text)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
  h1 { font-size: 1.4rem; padding: .8rem 1rem; border-left: .5rem solid; border-radius: .25rem }
  .good { border-color: #2a8a3e } .waiting { border-color: #c98a00 } .bad { border-color: #c5221f }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem } dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere }
</style></head>
<body><h1 class="${level}">${escaped(text)}</h1><dl>
${list.join('\n')}
</dl></body></html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
