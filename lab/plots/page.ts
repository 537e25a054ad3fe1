// Makes self-contained pages with tables and plots that uPlot draws in the browser. Used by `ordermesh load --html`, `make isolation` and `make perf`.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export interface Chart {
  title: string;
  /** What the horizontal axis counts: seconds, decades of a percentile (1 is 90 %, 2 is 99 %), or a number of something. */
  x: 'seconds' | 'percentile' | 'number';
  /** What the numbers are of. */
  xName?: string;
  /** A logarithmic axis, for latencies whose tail is far from their middle. */
  logarithmic: boolean;
  /** Names of the lines. */
  lines: string[];
  /** Horizontal positions, then the values of each line. A gap is null. */
  data: [number[], ...(number | null)[][]];
}

/** A time that is shaded behind every chart, in seconds, in the colour that the page's style has under its name. */
export interface Span {
  name: string;
  from: number;
  to: number;
}

export interface PlotPage {
  title: string;
  /** HTML above the charts and below them. */
  above: string;
  below?: string;
  charts: readonly Chart[];
  spans?: readonly Span[];
  /** CSS behind that of every page. */
  style?: string;
}

/** One HTML document that needs nothing else. */
export async function plotPage({
  title,
  above,
  below = '',
  charts,
  spans = [],
  style = '',
}: PlotPage): Promise<string> {
  const [uplot, uplotStyle, ownStyle, draw] = await Promise.all([
    readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8'),
    readFile(new URL('page.css', import.meta.url), 'utf8'),
    readFile(new URL('draw.js', import.meta.url), 'utf8'),
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${uplotStyle}${ownStyle}${style}</style>
</head>
<body>
${above}
<div id="charts"></div>
${below}
<script>${uplot}</script>
<script type="application/json" id="content">${JSON.stringify({ charts, spans }).replaceAll('<', '\\u003c')}</script>
<script>${draw}</script>
</body>
</html>
`;
}

/** @param rows cells as HTML */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('\n')}</tbody></table>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
