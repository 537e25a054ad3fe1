// What flame-page.ts writes into the page and main.ts reads there.

/** The function's number in `functions`, its own weight in A and in B, and what it calls. A page of one profile has no B: 0. */
export type PageNode = [frame: number, a: number, b: number, children: PageNode[]];

export interface PageData {
  title: string;
  /** Two profiles, whose weights are millionths of what each was busy with; else the weights are in `unit`. */
  compares: boolean;
  unit: 'microseconds' | 'bytes';
  /** Name, and file with line. */
  frames: [name: string, where: string][];
  root: PageNode;
}
