// Helpers for the elements, texts and icons of the page. Used by all parts that draw.

type Attributes = Record<string, string | number | boolean | undefined>;

/** Builds an element. Text is always set as text, never parsed as HTML, so that a guest's note cannot become HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/** An element that `index.html` must have. */
export function find(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`the page has no element #${id}`);
  return node;
}

/** Writes text only if it differs, so that a tick of the clock costs nothing for cards that do not change. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

const strokes: Record<string, string> = {
  car: 'M3 16v-3l2-1 2-5h9l3 5 2 1v3h-2M8 16h7M5 12h14M6.5 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4M17 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4',
  kiosk: 'M7 3h10v12H7zM12 15v5M8 21h8M10 7h4M10 10h4',
  bag: 'M6 8h12l1 12H5L6 8M9 8V6a3 3 0 0 1 6 0v2',
  bike: 'M5.5 18a3 3 0 1 0 0-6 3 3 0 0 0 0 6M18.5 18a3 3 0 1 0 0-6 3 3 0 0 0 0 6M5.5 15l4-6h5l4 6M9.5 9l3 6h-7M14.5 9l-1-3h-2',
  phone: 'M7 2h10v20H7zM11 18.5h2',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
  counter: 'M3 11h18M5 11v9h14v-9M8 11V6h8v5M11 8.5h2M5 15h14',
  flame:
    'M12 3c1 4 5 5.500 5 10.500A5 5 0 0 1 7 13.500c0-2.500 1.500-3.500 2-5.500 1 .5 1.500 1.500 1.500 2.500C12 9 12.500 6 12 3',
  check: 'M4 12.500l5.500 5.500L20 6.500',
  undo: 'M9 6L4 11l5 5M4 11h10a6 6 0 0 1 0 12',
  note: 'M4 5h16v11H9l-5 4z',
  warning: 'M12 3.500L22 20.500H2zM12 10v5M12 17.500v.5',
  list: 'M8 6h13M8 12h13M8 18h13M3.500 6h.5M3.500 12h.5M3.500 18h.5',
  store: 'M4 10v10h16V10M3 10l2-6h14l2 6a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0M10 20v-5h4v5',
};

/** A line icon; hidden from screen readers, because each icon has words beside it. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', strokes[name] ?? '');
  svg.append(path);
  return svg;
}
