// Adds stacks up to a flame graph. Used by fold.ts and speedscope.ts.

import { type Flame, type FlameNode, type FlameUnit, type Frame, functionKey } from './flame.ts';

interface Node {
  frame: Frame;
  self: number;
  children: Map<string, Node>;
}

export class FlameBuilder {
  readonly #root: Node = newNode({ name: 'all', file: '', line: 0 });

  /** @param stack from the thread to the function that was sampled */
  add(stack: readonly Frame[], weight: number): void {
    let node = this.#root;
    for (const frame of stack) {
      const key = functionKey(frame);
      let child = node.children.get(key);
      if (child === undefined) {
        child = newNode(frame);
        node.children.set(key, child);
      }
      node = child;
    }
    node.self += weight;
  }

  build(unit: FlameUnit): Flame {
    return { unit, root: finished(this.#root) };
  }
}

function newNode(frame: Frame): Node {
  return { frame, self: 0, children: new Map() };
}

function finished({ frame, self, children }: Node): FlameNode {
  const below = [...children.values()].map(finished).sort((a, b) => b.total - a.total);
  return { frame, self, total: below.reduce((sum, { total }) => sum + total, self), children: below };
}
