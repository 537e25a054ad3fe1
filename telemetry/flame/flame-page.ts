// Writes a flame graph, or the comparison of two, as one HTML page that needs no network. Used by `ordermesh profile`.

import { readFile } from 'node:fs/promises';
import { stripTypes } from '../strip-types.ts';
import { type ComparedNode, compareTrees } from './compare.ts';
import { type Flame, type FlameNode, type Frame, whereOf } from './flame.ts';
import { flameLibraries } from './libraries.ts';
import type { PageData, PageNode } from './page/data.ts';

/** A share as a whole number, because the graph adds the widths up. */
const MILLION = 1_000_000;

/** @returns the page of one profile */
export function flamePage(title: string, flame: Flame): Promise<string> {
  const frames = new Frames();
  const convert = ({ frame, self, children }: FlameNode): PageNode => [
    frames.numberOf(frame),
    Math.round(self),
    0,
    children.map(convert),
  ];
  const root = convert(flame.root);
  return pageOf({ title, compares: false, unit: flame.unit, frames: frames.all, root });
}

/** @returns the differential page: how B differs from A */
export function comparisonPage(title: string, a: Flame, b: Flame): Promise<string> {
  const frames = new Frames();
  const convert = ({ frame, selfA, selfB, children }: ComparedNode): PageNode => [
    frames.numberOf(frame),
    Math.round(selfA * MILLION),
    Math.round(selfB * MILLION),
    children.map(convert),
  ];
  const root = convert(compareTrees(a, b));
  return pageOf({ title, compares: true, unit: a.unit, frames: frames.all, root });
}

class Frames {
  readonly all: [name: string, where: string][] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(frame: Frame): number {
    const where = whereOf(frame);
    const key = `${frame.name} ${where}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.all.push([frame.name, where]) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

async function pageOf(data: PageData): Promise<string> {
  const [html, css, main, libraries] = await Promise.all([
    text('flame.html'),
    text('flame.css'),
    text('main.ts'),
    flameLibraries(),
  ]);
  const parts: Record<string, string> = {
    css,
    // In JSON, `<` occurs in strings only. Written so, no name can end the script.
    data: JSON.stringify(data).replaceAll('<', '\\u003c'),
    libraries: libraries.replaceAll('</script', '<\\/script'),
    main: stripTypes(main),
  };
  return html
    .replace('<title>Flame graph', () => `<title>${data.title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}`)
    .replace(/<(?:style|script)[^>]* id="([a-z]+)">/g, (tag, name: string) => `${tag}${parts[name] ?? ''}`);
}

function text(name: string): Promise<string> {
  return readFile(new URL(`./page/${name}`, import.meta.url), 'utf8');
}
