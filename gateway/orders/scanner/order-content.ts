import assert from 'node:assert/strict';
import { type Order, type OrderItem, type OrderModifier, orderSchema } from '../../../contracts/order/order.ts';
import { patterns, WELL_FORMED } from '../../../contracts/order/text.ts';
import { ORDER_ID_LENGTH, type OrderKey, readOrderKey } from '../order-key.ts';
import { bytesOf, FIRST, NAME_LENGTH_MAX, NAME_WORDS, type Names, namesOf } from './member-names.ts';

/*
 * What an order says, as a hash: of a decoded order, or read off its bytes. Both ways stand in one file, and what they share is not exported:
 * V8 looks up a module's exports at every use, which made the second one half as fast.
 */

/** What the hash is made of. A member's number is its own over all objects of an order; what is absent counts for nothing, and so does an empty array. */
const STORE_ID = 1;
const CHANNEL = 2;
const PLACED_AT = 3;
const CURRENCY = 4;
const TOTAL = 5;
const CUSTOMER_ID = 6;
const METHOD = 7;
const TOKEN = 8;
const ITEMS = 9;
const SKU = 10;
const QUANTITY = 11;
const UNIT_PRICE = 12;
const NOTE = 13;
const MODIFIERS = 14;

/** Objects within objects: an order, its items, their modifiers. */
const ORDER = 0;
const ITEM = 1;
const MODIFIER = 2;
const LEVELS = 3;

/** Of each level: two sums over the members of its object, and two lanes over the elements of its array. */
const sums = new Int32Array(2 * LEVELS);
const lanes = new Int32Array(2 * LEVELS);

/**
 * A hash of what an order says, its orderId aside: 53 bits, so that it is a plain number. It tells the same things apart as
 * `orderFingerprint` and costs a tenth of it. It is not cryptographic, so it stays in this process: a client that forges a collision
 * with an order of its own only gets the answer for that order again, and the definitive comparison is the order-validator's.
 */
export function contentHash(order: Order): number {
  beginObject(ORDER);
  hashText(ORDER, STORE_ID, order.storeId);
  hashText(ORDER, CHANNEL, order.channel);
  hashText(ORDER, PLACED_AT, order.placedAt);
  hashText(ORDER, CURRENCY, order.currency);
  hashNumber(ORDER, TOTAL, order.total);
  if (order.customerId !== undefined) hashText(ORDER, CUSTOMER_ID, order.customerId);
  hashText(ORDER, METHOD, order.payment.method);
  if (order.payment.token !== undefined) hashText(ORDER, TOKEN, order.payment.token);
  beginArray(ORDER);
  for (const item of order.items) {
    hashItem(item);
    addElement(ORDER);
  }
  endArray(ORDER, ITEMS, order.items.length);
  return digest();
}

function hashItem({ sku, quantity, unitPrice, note, modifiers = [] }: OrderItem): void {
  beginObject(ITEM);
  hashText(ITEM, SKU, sku);
  hashNumber(ITEM, QUANTITY, quantity);
  hashNumber(ITEM, UNIT_PRICE, unitPrice);
  if (note !== undefined) hashText(ITEM, NOTE, note);
  beginArray(ITEM);
  for (const modifier of modifiers) {
    hashModifier(modifier);
    addElement(ITEM);
  }
  endArray(ITEM, MODIFIERS, modifiers.length);
}

function hashModifier({ sku, quantity = 1, unitPrice }: OrderModifier): void {
  beginObject(MODIFIER);
  hashText(MODIFIER, SKU, sku);
  hashNumber(MODIFIER, QUANTITY, quantity);
  hashNumber(MODIFIER, UNIT_PRICE, unitPrice);
}

/** Begins an object; its members may come in any order, since they are added up. */
function beginObject(level: number): void {
  sums[2 * level] = 0;
  sums[2 * level + 1] = 0;
}

/** Two multiply-and-xor lanes over UTF-16 code units. */
function hashText(level: number, member: number, text: string): void {
  let low = Math.imul(member, LOW_SEED);
  let high = Math.imul(member, HIGH_SEED);
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, LOW_FACTOR);
    high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
  }
  add(level, low ^ text.length, high);
}

const LOW_SEED = 0x2f1b2c3d;
const HIGH_SEED = 0x5bd1e995;
const LOW_FACTOR = 0x9e3779b1;
const HIGH_FACTOR = 0x5f356495;

/** `value` is a safe integer that is not negative. */
function hashNumber(level: number, member: number, value: number): void {
  const top = value > 0xffff_ffff ? Math.floor(value / 0x1_0000_0000) : 0;
  const low = Math.imul(Math.imul(member, LOW_SEED) ^ value, 0x85ebca6b) ^ Math.imul(top, 0x27d4eb2f);
  const high = Math.imul(Math.imul(member, HIGH_SEED) ^ value ^ (low >>> 13), 0xc2b2ae35);
  add(level, low, high ^ Math.imul(top, 0x165667b1));
}

/** Begins an array of the object of this level; its elements are objects of the next one, and their order counts. */
function beginArray(level: number): void {
  lanes[2 * level] = 0;
  lanes[2 * level + 1] = 0;
}

/** The object of the next level is complete. */
function addElement(level: number): void {
  const low = Math.imul((lanes[2 * level] as number) ^ (sums[2 * level + 2] as number), LOW_FACTOR) + 1;
  lanes[2 * level] = low;
  const high = Math.imul((lanes[2 * level + 1] as number) ^ (sums[2 * level + 3] as number), HIGH_FACTOR);
  lanes[2 * level + 1] = high ^ (low >>> 15);
}

function endArray(level: number, member: number, length: number): void {
  if (length === 0) return;
  const low = Math.imul(member, LOW_SEED) ^ (lanes[2 * level] as number) ^ length;
  add(level, low, Math.imul(member, HIGH_SEED) ^ (lanes[2 * level + 1] as number));
}

function add(level: number, low: number, high: number): void {
  const mixed = finalized(low);
  sums[2 * level] = (sums[2 * level] as number) + mixed;
  sums[2 * level + 1] = (sums[2 * level + 1] as number) + finalized(high ^ mixed);
}

function digest(): number {
  const low = finalized(sums[0] as number);
  const high = finalized((sums[1] as number) ^ low);
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}

/** The finalizer of MurmurHash3. */
function finalized(half: number): number {
  let hash = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** What the way in needs to know of a valid order. */
export interface OrderContent {
  key: OrderKey;
  storeId: string;
  /** `contentHash` of the order. */
  content: number;
}

/**
 * Reads an order off its bytes without decoding it, if it is a valid one and spelled as orders usually are: ASCII without escapes, whole
 * numbers, times in UTC. For 500 bytes that takes 1 µs, where to decode, validate and hash them takes 2.4 µs and leaves objects behind.
 *
 * `undefined` says nothing of the order: then it is to be decoded and validated. So this need not know every valid order, but must never
 * take one that the schema refuses. Limits come from the schema; a member or a pattern of it that is not known here fails at start.
 * `test/gateway/order-content.test.ts` holds this way against the other.
 *
 * @param likelyStore the store that the order is probably of: its text then need not be made anew
 */
export function scanOrder(input: Buffer, likelyStore = ''): OrderContent | undefined {
  if (input.length > SCANNED_MAX) return undefined;
  bytes.set(input);
  bytes[input.length] = 0;
  let key: OrderKey | undefined;
  let storeId = '';
  let seen = 0;
  let member = FIRST;
  beginObject(ORDER);
  let at = takeCode(0, OPENING_BRACE);
  while (at >= 0) {
    at = takeName(at, orderNames, member);
    member = place;
    if (at < 0 || (seen & (1 << member)) !== 0) return undefined;
    seen |= 1 << member;
    switch (member) {
      case 0:
        at = takeCode(at, QUOTE);
        if (at < 0) return undefined;
        key = readOrderKey(bytes, at);
        if (key === undefined || bytes[at + ORDER_ID_LENGTH] !== QUOTE) return undefined;
        at += ORDER_ID_LENGTH + 1;
        break;
      case 1:
        at = takeWords(at, ORDER, STORE_ID, storeIdMin, storeIdMax);
        if (at < 0) return undefined;
        storeId = isText(textFrom, at - 1, likelyStore) ? likelyStore : bytes.toString('latin1', textFrom, at - 1);
        break;
      case 2:
        at = takeText(at, ORDER, CHANNEL, 0, LONGEST);
        if (at < 0 || !isOneOf(textFrom, at - 1, channels)) return undefined;
        break;
      case 3:
        at = takeText(at, ORDER, PLACED_AT, 0, LONGEST);
        if (at < 0 || !isDateTime(textFrom, at - 1)) return undefined;
        break;
      case 4:
        at = takeText(at, ORDER, CURRENCY, 3, 3);
        if (at < 0 || !isCurrency(textFrom)) return undefined;
        break;
      case 5:
        at = takeItems(at);
        break;
      case 6:
        at = takeInteger(at, ORDER, TOTAL, totalMin, totalMax);
        break;
      case 7:
        at = takeText(at, ORDER, CUSTOMER_ID, customerIdMin, customerIdMax);
        break;
      default:
        at = takePayment(at);
    }
    if (at < 0) return undefined;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  if (key === undefined || (seen & orderNames.required) !== orderNames.required) return undefined;
  at = takeCode(at, CLOSING_BRACE);
  if (at < 0 || skipSpace(at) !== input.length) return undefined;
  return { key, storeId, content: digest() };
}

/** Longer orders are rare enough to be decoded. */
const SCANNED_MAX = 16_384;

/**
 * The order that is read, and behind it a zero, which nothing can go on with, and room for what is read at once. It is a copy because that is
 * always in the same place: V8 knows where, and a view reads four bytes of it at a time.
 */
const bytes = Buffer.alloc(SCANNED_MAX + 64);
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Everything that takes something takes it at a position, and returns the one behind it; this, where it is not there. */
const NOT_THERE = -1;

/** Of the name taken last: its place among the names of its object. */
let place = 0;
/** Of the text taken last: where it begins. It ends in front of its quote. */
let textFrom = 0;

function takePayment(from: number): number {
  let seen = 0;
  let isCash = false;
  let member = FIRST;
  let at = takeCode(from, OPENING_BRACE);
  while (at >= 0) {
    at = takeName(at, paymentNames, member);
    member = place;
    if (at < 0 || (seen & (1 << member)) !== 0) return NOT_THERE;
    seen |= 1 << member;
    if (member === 0) {
      at = takeText(at, ORDER, METHOD, 0, LONGEST);
      if (at < 0 || !isOneOf(textFrom, at - 1, methods)) return NOT_THERE;
      isCash = equals(textFrom, at - 1, cash);
    } else at = takeText(at, ORDER, TOKEN, tokenMin, tokenMax);
    if (at < 0) return NOT_THERE;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  const hasToken = (seen & 2) !== 0;
  if ((seen & paymentNames.required) !== paymentNames.required || (!isCash && !hasToken)) return NOT_THERE;
  return takeCode(at, CLOSING_BRACE);
}

function takeItems(from: number): number {
  let count = 0;
  beginArray(ORDER);
  let at = takeCode(from, OPENING_BRACKET);
  while (at >= 0) {
    at = takeItem(at);
    if (at < 0) return NOT_THERE;
    addElement(ORDER);
    count += 1;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  if (count > itemsMax) return NOT_THERE;
  endArray(ORDER, ITEMS, count);
  return takeCode(at, CLOSING_BRACKET);
}

function takeItem(from: number): number {
  let seen = 0;
  let member = FIRST;
  beginObject(ITEM);
  let at = takeCode(from, OPENING_BRACE);
  while (at >= 0) {
    at = takeName(at, itemNames, member);
    member = place;
    if (at < 0 || (seen & (1 << member)) !== 0) return NOT_THERE;
    seen |= 1 << member;
    switch (member) {
      case 0:
        at = takeWords(at, ITEM, SKU, 1, skuMax);
        break;
      case 1:
        at = takeInteger(at, ITEM, QUANTITY, quantityMin, quantityMax);
        break;
      case 2:
        at = takeInteger(at, ITEM, UNIT_PRICE, priceMin, priceMax);
        break;
      case 3:
        at = takeText(at, ITEM, NOTE, 0, noteMax);
        break;
      default:
        at = takeModifiers(at);
    }
    if (at < 0) return NOT_THERE;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  if ((seen & itemNames.required) !== itemNames.required) return NOT_THERE;
  return takeCode(at, CLOSING_BRACE);
}

function takeModifiers(from: number): number {
  let count = 0;
  beginArray(ITEM);
  let at = takeCode(from, OPENING_BRACKET);
  if (at < 0) return NOT_THERE;
  const none = takeCode(at, CLOSING_BRACKET);
  if (none >= 0) return none;
  while (at >= 0) {
    at = takeModifier(at);
    if (at < 0) return NOT_THERE;
    addElement(ITEM);
    count += 1;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  if (count > modifiersMax) return NOT_THERE;
  endArray(ITEM, MODIFIERS, count);
  return takeCode(at, CLOSING_BRACKET);
}

function takeModifier(from: number): number {
  let seen = 0;
  let member = FIRST;
  beginObject(MODIFIER);
  let at = takeCode(from, OPENING_BRACE);
  while (at >= 0) {
    at = takeName(at, modifierNames, member);
    member = place;
    if (at < 0 || (seen & (1 << member)) !== 0) return NOT_THERE;
    seen |= 1 << member;
    if (member === 0) at = takeWords(at, MODIFIER, SKU, 1, modifierSkuMax);
    else if (member === 1) at = takeInteger(at, MODIFIER, QUANTITY, modifierQuantityMin, modifierQuantityMax);
    else at = takeInteger(at, MODIFIER, UNIT_PRICE, modifierPriceMin, modifierPriceMax);
    if (at < 0) return NOT_THERE;
    if (bytes[at] !== COMMA) at = skipSpace(at);
    if (bytes[at] !== COMMA) break;
    at += 1;
  }
  if ((seen & modifierNames.required) !== modifierNames.required) return NOT_THERE;
  // Where it isn't said, it is one.
  if ((seen & 2) === 0) hashNumber(MODIFIER, QUANTITY, 1);
  return takeCode(at, CLOSING_BRACE);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const DASH = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

function skipSpace(from: number): number {
  let at = from;
  while (isSpace[bytes[at] as number] === 1) at += 1;
  return at;
}

function takeCode(from: number, code: number): number {
  if (bytes[from] === code) return from + 1;
  const at = skipSpace(from);
  return bytes[at] === code ? at + 1 : NOT_THERE;
}

/**
 * A name and its colon; `before` is the member in front of it. Members come in the order in which they came the last time, as a rule: then
 * the name, its second quote and the colon are compared as three words.
 */
function takeName(from: number, names: Names, before: number): number {
  const next = names.next[before] as number;
  const word = NAME_WORDS * next;
  const { words, masks } = names;
  if (
    bytes[from] === QUOTE &&
    (view.getInt32(from + 1, true) & (masks[word] as number)) === words[word] &&
    (view.getInt32(from + 5, true) & (masks[word + 1] as number)) === words[word + 1] &&
    (view.getInt32(from + 9, true) & (masks[word + 2] as number)) === words[word + 2]
  ) {
    place = next;
    return from + (names.widths[next] as number);
  }
  const at = takeAnyName(from, names);
  if (at >= 0) names.next[before] = place;
  return at;
}

function takeAnyName(from: number, names: Names): number {
  let at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  const begin = at;
  let code = bytes[at] as number;
  while (isLetter[code] === 1) {
    at += 1;
    code = bytes[at] as number;
  }
  const length = at - begin;
  if (code !== QUOTE || length === 0 || length > NAME_LENGTH_MAX) return NOT_THERE;
  place = names.places[(length << 7) | (bytes[begin] as number)] as number;
  if (place < 0 || !equals(begin, at, names.texts[place] as Uint8Array)) return NOT_THERE;
  return takeCode(at + 1, COLON);
}

function takeText(from: number, level: number, member: number, min: number, max: number): number {
  let at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  textFrom = at;
  let low = Math.imul(member, LOW_SEED);
  let high = Math.imul(member, HIGH_SEED);
  let code = bytes[at] as number;
  while (isPlain[code] === 1) {
    low = Math.imul(low ^ code, LOW_FACTOR);
    high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    at += 1;
    code = bytes[at] as number;
  }
  const length = at - textFrom;
  if (code !== QUOTE || length < min || length > max) return NOT_THERE;
  add(level, low ^ length, high);
  return at + 1;
}

/** Lower-case words joined by hyphens. */
function takeWords(from: number, level: number, member: number, min: number, max: number): number {
  let at = takeCode(from, QUOTE);
  if (at < 0) return NOT_THERE;
  textFrom = at;
  let low = Math.imul(member, LOW_SEED);
  let high = Math.imul(member, HIGH_SEED);
  let before = DASH;
  let code = bytes[at] as number;
  while (isWord[code] === 1 || (code === DASH && before !== DASH)) {
    low = Math.imul(low ^ code, LOW_FACTOR);
    high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    before = code;
    at += 1;
    code = bytes[at] as number;
  }
  const length = at - textFrom;
  if (code !== QUOTE || before === DASH || length < min || length > max) return NOT_THERE;
  add(level, low ^ length, high);
  return at + 1;
}

/** So many digits make a number of 32 bits, whichever they are. */
const INTEGER_LENGTH_MAX = 9;

/** A whole number that is not negative. A fraction or an exponent behind it is nothing that may follow, so there the order ends. */
function takeInteger(from: number, level: number, member: number, min: number, max: number): number {
  let at = skipSpace(from);
  const begin = at;
  let value = 0;
  let code = bytes[at] as number;
  while (code >= ZERO && code <= NINE) {
    value = (Math.imul(value, 10) + code - ZERO) | 0;
    at += 1;
    code = bytes[at] as number;
  }
  const length = at - begin;
  const hasLeadingZero = bytes[begin] === ZERO && length > 1;
  if (length === 0 || length > INTEGER_LENGTH_MAX || hasLeadingZero || value < min || value > max) return NOT_THERE;
  hashNumber(level, member, value);
  return at;
}

/** `2026-11-29T10:00:00Z`, with milliseconds or without; no leap days and no leap seconds. */
function isDateTime(from: number, to: number): boolean {
  if (to - from === 24) {
    if (bytes[from + 19] !== 0x2e || twoDigits(from + 20) < 0 || twoDigits(from + 21) < 0) return false;
  } else if (to - from !== 20) return false;
  const isPunctuated =
    bytes[from + 4] === DASH &&
    bytes[from + 7] === DASH &&
    bytes[from + 10] === 0x54 &&
    bytes[from + 13] === COLON &&
    bytes[from + 16] === COLON &&
    bytes[to - 1] === 0x5a;
  const day = twoDigits(from + 8);
  return (
    isPunctuated &&
    twoDigits(from) === CENTURY &&
    twoDigits(from + 2) >= 0 &&
    day > 0 &&
    day <= (daysOfMonth[twoDigits(from + 5)] ?? 0) &&
    isBelow(24, twoDigits(from + 11)) &&
    isBelow(60, twoDigits(from + 14)) &&
    isBelow(60, twoDigits(from + 17))
  );
}

/** The first two digits of every year that the schema takes. */
const CENTURY = 20;
const daysOfMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isBelow(bound: number, value: number): boolean {
  return value >= 0 && value < bound;
}

/** Negative where there are not two digits. */
function twoDigits(at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function isCurrency(from: number): boolean {
  for (let at = from; at < from + 3; at += 1) {
    const code = bytes[at] as number;
    if (code < 0x41 || code > 0x5a) return false;
  }
  return true;
}

function isOneOf(from: number, to: number, texts: readonly Uint8Array[]): boolean {
  for (const text of texts) if (equals(from, to, text)) return true;
  return false;
}

function isText(from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[from + index] !== text.charCodeAt(index)) return false;
  return true;
}

function equals(from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) if (bytes[from + index] !== text[index]) return false;
  return true;
}

/** By their codes: space, letters of names, characters of words, and those of strings that stand for themselves. */
const isSpace = tableOf(/[ \n\r\t]/);
const isLetter = tableOf(/[a-zA-Z]/);
const isWord = tableOf(/[a-z0-9]/);
const isPlain = tableOf(/[ !#-[\]-~]/);

function tableOf(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => Number(characters.test(String.fromCharCode(code))));
}

const orderOf = orderSchema.properties;
const paymentOf = orderOf.payment.properties;
const itemOf = orderOf.items.items.properties;
const modifierOf = itemOf.modifiers.items.properties;

const [storeIdMin, storeIdMax] = lengthOf(orderOf.storeId);
const [customerIdMin, customerIdMax] = lengthOf(orderOf.customerId);
const [tokenMin, tokenMax] = lengthOf(paymentOf.token);
const [, skuMax] = lengthOf(itemOf.sku);
const [, noteMax] = lengthOf(itemOf.note);
const [, modifierSkuMax] = lengthOf(modifierOf.sku);
const [totalMin, totalMax] = rangeOf(orderOf.total);
const [quantityMin, quantityMax] = rangeOf(itemOf.quantity);
const [priceMin, priceMax] = rangeOf(itemOf.unitPrice);
const [modifierQuantityMin, modifierQuantityMax] = rangeOf(modifierOf.quantity);
const [modifierPriceMin, modifierPriceMax] = rangeOf(modifierOf.unitPrice);
const itemsMax = Number(setting(orderOf.items, 'maxItems'));
const modifiersMax = Number(setting(itemOf.modifiers, 'maxItems'));
/** Longer than any text that is compared with what it may be. */
const LONGEST = 64;

const orderNames = namesOf(orderSchema, [
  'orderId',
  'storeId',
  'channel',
  'placedAt',
  'currency',
  'items',
  'total',
  'customerId',
  'payment',
]);
const paymentNames = namesOf(orderOf.payment, ['method', 'token']);
const itemNames = namesOf(orderOf.items.items, ['sku', 'quantity', 'unitPrice', 'note', 'modifiers']);
const modifierNames = namesOf(itemOf.modifiers.items, ['sku', 'quantity', 'unitPrice']);
const channels = orderOf.channel.enum.map(bytesOf);
const methods = paymentOf.method.enum.map(bytesOf);
const cash = bytesOf('cash');

for (const schema of [orderOf.storeId, itemOf.sku, modifierOf.sku])
  assert.equal(setting(schema, 'pattern'), '^[a-z0-9]+(-[a-z0-9]+)*$');
assert.equal(setting(orderOf.orderId, 'pattern'), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');
assert.equal(setting(orderOf.currency, 'pattern'), '^[A-Z]{3}$');
assert.equal(setting(orderOf.placedAt, 'format'), 'date-time');
assert.equal(setting(orderOf.placedAt, 'pattern'), `^${CENTURY}[0-9]{2}-`);
// What is plain here, these two patterns take.
for (const schema of [orderOf.customerId, paymentOf.token]) assert.equal(setting(schema, 'pattern'), patterns.line);
assert.equal(setting(itemOf.note, 'pattern'), patterns.lines);
for (const schema of [orderOf.customerId, paymentOf.token, itemOf.note])
  assert.equal(setting(schema, 'format'), WELL_FORMED);
assert.equal(setting(orderOf.items, 'minItems'), 1);
assert.deepEqual(setting(orderOf.payment, 'else'), { required: ['token'] });

function lengthOf(schema: object): [min: number, max: number] {
  return [Number(setting(schema, 'minLength') ?? 0), Number(setting(schema, 'maxLength'))];
}

function rangeOf(schema: object): [min: number, max: number] {
  return [Number(setting(schema, 'minimum')), Number(setting(schema, 'maximum'))];
}

/** The types of the schema leave its settings out. */
function setting(schema: object, name: string): unknown {
  return Reflect.get(schema, name);
}
