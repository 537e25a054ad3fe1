// Makes an item of what a guest chose, however deep the choices are. Called by the mappers.

import type { OrderItem, OrderModifier } from '../../contracts/order/item.ts';

/** Something that a guest chose, and what the guest chose for it. */
export interface Choice {
  sku: string;
  name: string;
  /** Per one of what it was chosen for. */
  quantity: number;
  /** Of one, without its own choices, in minor units. */
  unitPrice: number;
  /** What the guest wrote about it. */
  note?: string | undefined;
  /** A dish of its own, as in a combo; otherwise it changes the dish that it was chosen for. */
  isDish?: boolean;
  choices?: readonly Choice[] | undefined;
}

/**
 * Dishes among the choices become parts, all others modifiers. An item has no modifiers of modifiers: they stand behind the modifier that
 * they belong to, multiplied by its quantity, and the note says to which one they belong. Stock, price and ticket have all of them.
 */
export function itemOf({ sku, quantity, unitPrice, note, choices = [] }: Choice): OrderItem {
  const dishes = choices.filter(({ isDish }) => isDish);
  const changes = choices.filter(({ isDish }) => !isDish);
  const item: OrderItem = { sku, quantity, unitPrice };
  if (changes.length > 0) item.modifiers = flatten(changes, 1);
  if (dishes.length > 0) item.parts = dishes.map(partOf);
  return withNote(item, [note, ...changes.flatMap(wordsOf), ...dishes.flatMap(partWords)]);
}

/** Puts lines of text in front of the item's note. */
export function withNote(item: OrderItem, lines: readonly (string | undefined)[]): OrderItem {
  const note = [...lines, item.note].filter(Boolean).join('\n');
  return note === '' ? item : { ...item, note };
}

/** An order has no note of its own, so the first item carries what concerns all of them. */
export function withOrderNote(items: OrderItem[], lines: readonly (string | undefined)[]): OrderItem[] {
  const [first, ...rest] = items;
  const said = lines.filter((text) => text);
  return first === undefined || said.length === 0
    ? items
    : [withNote(first, [`whole order: ${said.join('; ')}`]), ...rest];
}

function partOf({ sku, quantity, unitPrice, choices = [] }: Choice): NonNullable<OrderItem['parts']>[number] {
  const part = { sku, quantity, unitPrice };
  return choices.length === 0 ? part : { ...part, modifiers: flatten(choices, 1) };
}

function flatten(choices: readonly Choice[], parents: number): OrderModifier[] {
  return choices.flatMap(({ sku, quantity, unitPrice, choices: deeper = [] }) => [
    { sku, quantity: parents * quantity, unitPrice },
    ...flatten(deeper, parents * quantity),
  ]);
}

/** What the flat list of modifiers no longer says: which belong to which, and notes. */
function wordsOf({ name, note, choices = [] }: Choice): string[] {
  const own = [...choices.map((choice) => countedName(choice)), note].filter(Boolean);
  return [...(own.length > 0 ? [`${name}: ${own.join(', ')}`] : []), ...choices.flatMap(wordsOf)];
}

function partWords({ name, note, choices = [] }: Choice): string[] {
  return [...(note ? [`${name}: ${note}`] : []), ...choices.flatMap(wordsOf)];
}

function countedName({ name, quantity }: Choice): string {
  return quantity === 1 ? name : `${quantity} × ${name}`;
}
