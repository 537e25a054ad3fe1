// Shows the flame graph of the page that flame-page.ts writes. Runs in a browser, from the page itself.

import type { Chart, Hovered, Shown } from './chart.ts';
import type { PageData, PageNode } from './data.ts';

declare const flamegraph: { default(): Chart };
declare const d3: { select(element: Element): { datum(data: Shown): { call(chart: Chart): void } } };

const FUNCTIONS_SHOWN = 40;
/** A change of this share has the full colour. */
const FULL_COLOUR = 0.05;

const data: PageData = JSON.parse(element('data').textContent ?? '');
const whole = shown(data.root, []);
const idle = sumOf(whole.children.flatMap(({ children }) => children.filter(({ name }) => name === 'idle')));
const busy = { a: whole.totalA - idle, b: whole.totalB };
let chart: Chart;

/** The tooltip of the package moves under the pointer and takes the clicks. */
const tip = Object.assign(() => {}, {
  show({ clientX, clientY }: MouseEvent, hovered: Hovered) {
    const box = element('tip');
    box.textContent = tooltip(hovered);
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${Math.max(0, Math.min(clientX + 12, window.innerWidth - width - 4))}px`;
    box.style.top = `${clientY + 16 + height > window.innerHeight ? clientY - height - 8 : clientY + 16}px`;
  },
  hide() {
    element('tip').hidden = true;
  },
});

element('title').textContent = data.title;
element('about').textContent = data.compares
  ? 'Levels: thread, stage, then the stack. Red with + is more in B, blue with − is less, in points of a hundred. Click a frame to zoom.'
  : `Levels: thread, stage, then the stack. Shares are of ${amount(busy.a)}${idle > 0 ? ', without idle' : ''}. Click a frame to zoom.`;
element('sides').hidden = !data.compares;
element('waiting').hidden = data.compares || idle === 0;
draw();
tables();

element('tools').addEventListener('submit', (event) => event.preventDefault());
element('search').addEventListener('input', search);
element('reset').addEventListener('click', () => chart.resetZoom());
for (const id of ['idle', 'side']) element(id).addEventListener('change', draw);
window.addEventListener('resize', draw);
window.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') chart.resetZoom();
});

function element(id: string): HTMLElement & { value: string; checked: boolean } {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page lacks ${id}`);
  return found as HTMLElement & { value: string; checked: boolean };
}

function shown([frame, selfA, selfB, below]: PageNode, above: readonly string[]): Shown {
  const [name, where] = data.frames[frame] ?? ['', ''];
  const stack = [...above, name];
  const children = below.map((child) => shown(child, stack));
  const totalA = selfA + sumOf(children);
  const totalB = children.reduce((sum, child) => sum + child.totalB, selfB);
  return { name, where, stage: stack[2] ?? '', value: totalA, children, selfA, totalA, selfB, totalB };
}

function sumOf(nodes: readonly Shown[]): number {
  return nodes.reduce((sum, { totalA }) => sum + totalA, 0);
}

/** The tree with the widths that are asked for. */
function sized(node: Shown, depth = 0): Shown {
  const showsIdle = element('idle').checked;
  const children = node.children
    .filter(({ name }) => showsIdle || depth !== 1 || name !== 'idle')
    .map((child) => sized(child, depth + 1));
  const side = data.compares ? element('side').value : 'a';
  const self = side === 'a' ? node.selfA : node.selfB;
  return { ...node, children, value: children.reduce((sum, { value }) => sum + value, self) };
}

function draw(): void {
  const graph = element('graph');
  graph.replaceChildren();
  chart = flamegraph
    .default()
    .width(graph.clientWidth)
    .inverted(true)
    .cellHeight(18)
    .minFrameSize(1)
    .transitionDuration(0)
    .sort((a, b) => b.data.value - a.data.value)
    .tooltip(tip)
    .getName(({ data: node }) => (data.compares ? `${node.name} ${signed(change(node))}` : node.name))
    .setLabelHandler((hovered) => tooltip(hovered).replaceAll('\n', ' · '))
    .setColorMapper((hovered) => (hovered.highlight ? '#e8a' : colour(hovered.data)))
    .setSearchMatch(({ data: { name, where } }, term) => `${name} ${where}`.toLowerCase().includes(term.toLowerCase()))
    .setSearchHandler((_, sum, total) => {
      element('found').textContent = `${percent(sum / total)} of the graph, with what these call`;
    })
    .setDetailsHandler((text) => {
      element('detail').textContent = text;
    });
  d3.select(graph).datum(sized(whole)).call(chart);
  search();
}

function search(): void {
  const term = element('search').value.trim();
  if (term !== '') chart.search(term);
  else {
    chart.clear();
    element('found').textContent = '';
  }
}

function tooltip({ data: node }: Hovered): string {
  const head = node.where === '' ? node.name : `${node.name}\n${node.where}`;
  if (!data.compares) {
    const totals = `total ${percent(node.totalA / busy.a)} (${amount(node.totalA)})`;
    return `${head}\nself ${percent(node.selfA / busy.a)} (${amount(node.selfA)}), ${totals}`;
  }
  const self = `self A ${percent(node.selfA / busy.a)}, B ${percent(node.selfB / busy.b)}`;
  const total = `total A ${percent(node.totalA / busy.a)}, B ${percent(node.totalB / busy.b)}`;
  return `${head}\n${self}\n${total}: ${signed(change(node))} points`;
}

/** Of the share, from A to B. */
function change({ totalA, totalB }: Shown): number {
  return (busy.b && totalB / busy.b) - (busy.a && totalA / busy.a);
}

function colour(node: Shown): string {
  if (data.compares) {
    const changed = change(node);
    const light = 97 - 35 * Math.min(1, Math.abs(changed) / FULL_COLOUR);
    return `hsl(${changed > 0 ? 10 : 215} 85% ${light}%)`;
  }
  if (node.stage === '') return '#e4e4e4';
  let hue = 0;
  for (const character of node.stage) hue = (hue * 31 + character.charCodeAt(0)) % 360;
  // Functions of Node and V8 are paler than those of files.
  return `hsl(${hue} 60% ${node.where === '' ? 88 : 80}%)`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;
}

function signed(share: number): string {
  const points = (Math.abs(share) * 100).toFixed(1);
  return points === '0.0' ? '±0' : `${share > 0 ? '+' : '−'}${points}`;
}

function amount(value: number): string {
  if (data.unit === 'bytes') return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(0)} kB`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} s` : `${(value / 1e3).toFixed(1)} ms`;
}

interface Sums {
  where: string;
  search: string;
  a: number;
  b: number;
}

function tables(): void {
  const stages = new Map<string, Sums>();
  const functions = new Map<string, Sums>();
  for (const thread of whole.children)
    for (const stage of thread.children) {
      if (stage.name === 'idle') continue;
      add(stages, stage.name, { where: '', search: stage.name, a: stage.totalA, b: stage.totalB });
      const visit = ({ name, where, selfA, selfB, children }: Shown): void => {
        add(functions, `${name} ${where}`, { where, search: name, a: selfA, b: selfB });
        children.forEach(visit);
      };
      visit(stage);
    }
  table('By stage', stages);
  table(data.compares ? 'Functions that changed most (self)' : 'By function (self)', functions);
}

function add(sums: Map<string, Sums>, key: string, more: Sums): void {
  const known = sums.get(key);
  if (known === undefined) sums.set(key, more);
  else {
    known.a += more.a;
    known.b += more.b;
  }
}

function table(title: string, sums: Map<string, Sums>): void {
  const shares = [...sums.values()].map((row) => ({ ...row, a: row.a / busy.a, b: busy.b === 0 ? 0 : row.b / busy.b }));
  const weight = ({ a, b }: Sums) => (data.compares ? Math.abs(b - a) : a);
  const rows = shares
    .filter((row) => weight(row) > 0)
    .sort((x, y) => weight(y) - weight(x))
    .slice(0, FUNCTIONS_SHOWN);
  const hasPlaces = rows.some(({ where }) => where !== '');
  const made = document.createElement('table');
  made.createCaption().textContent = title;
  const numbers = data.compares ? ['A', 'B', 'change'] : ['share'];
  const head = made.createTHead().insertRow();
  for (const text of [...numbers, 'name', ...(hasPlaces ? ['where'] : [])]) {
    const cell = Object.assign(document.createElement('th'), { textContent: text });
    cell.className = numbers.includes(text) ? 'number' : '';
    head.append(cell);
  }
  const body = made.createTBody();
  for (const { a, b, search: term, where } of rows) {
    const row = body.insertRow();
    for (const text of data.compares ? [percent(a), percent(b), signed(b - a)] : [percent(a)])
      Object.assign(row.insertCell(), { textContent: text, className: 'number' });
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: term });
    button.addEventListener('click', () => {
      element('search').value = term;
      search();
      window.scrollTo({ top: 0 });
    });
    row.insertCell().append(button);
    if (hasPlaces) row.insertCell().textContent = where;
  }
  element('tables').append(made);
}
