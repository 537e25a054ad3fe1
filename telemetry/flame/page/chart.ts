// The part of d3-flame-graph that main.ts uses; the package has no types of its own.

/** What d3-flame-graph shows. `value` counts what the function calls. */
export interface Shown {
  name: string;
  value: number;
  children: Shown[];
  where: string;
  /** The second level of the stack. */
  stage: string;
  selfA: number;
  totalA: number;
  selfB: number;
  totalB: number;
}

export interface Hovered {
  data: Shown;
  highlight?: boolean;
}

export interface Chart {
  (selection: unknown): void;
  width(px: number): Chart;
  inverted(on: boolean): Chart;
  cellHeight(px: number): Chart;
  minFrameSize(px: number): Chart;
  transitionDuration(ms: number): Chart;
  sort(by: (a: { data: Shown }, b: { data: Shown }) => number): Chart;
  tooltip(tip: unknown): Chart;
  getName(name: (d: Hovered) => string): Chart;
  setLabelHandler(label: (d: Hovered) => string): Chart;
  setColorMapper(color: (d: Hovered, proposed: string) => string): Chart;
  setSearchMatch(match: (d: Hovered, term: string) => boolean): Chart;
  setSearchHandler(handler: (found: Hovered[], sum: number, total: number) => void): Chart;
  setDetailsHandler(handler: (text: string | null) => void): Chart;
  search(term: string): void;
  clear(): void;
  resetZoom(): void;
}
