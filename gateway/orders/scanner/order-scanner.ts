import assert from 'node:assert/strict';
import { type Order, type OrderItem, type OrderModifier, orderSchema } from '../../../contracts/order/order.ts';
import { patterns, WELL_FORMED } from '../../../contracts/order/text.ts';
import { ORDER_ID_LENGTH, type OrderKey, readOrderKey } from '../order-key.ts';
import { bytesOf, NAME_LENGTH_MAX, NAME_WORDS, type Names, NO_TAG, namesOf } from './member-names.ts';

/*
 * Two classes for the reception. `OrderScanner` checks and hashes an order in one pass over its bytes; `ContentHash` makes the same hash of an
 * order that was decoded. README.md in this folder says why, and how to measure them. They share this file because V8 reads an imported
 * constant from memory at each use, and folds a constant of the same file into the code: in two files the scanner was half as fast.
 */

/**
 * Tags: one number for each member of an order, its payment, its items and their modifiers. The scanner finds a name and gets its tag; the hash
 * mixes the tag with the value. A member that is absent does not change the hash, and neither does an empty array.
 */
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
const ORDER_ID = 15;
const PAYMENT = 16;

/**
 * The hash of one object, and of the array in it. Numbers stay 32-bit integers, which V8 keeps in the fields of an object without an allocation
 * (Node's V8 has no pointer compression).
 */
class ObjectHash {
  /** Two sums over the hashes of the members: members may come in any order. */
  low = 0;
  high = 0;
  /** Two lanes over the elements of the array: their order counts. */
  #arrayLow = 0;
  #arrayHigh = 0;

  begin(): void {
    this.low = 0;
    this.high = 0;
  }

  /** Adds a text, by two multiply-and-xor lanes over its UTF-16 code units. */
  text(tag: number, text: string): void {
    let low = Math.imul(tag, LOW_SEED);
    let high = Math.imul(tag, HIGH_SEED);
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      low = Math.imul(low ^ code, LOW_FACTOR);
      high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
    }
    this.add(low ^ text.length, high);
  }

  /** Adds a safe integer that is not negative. */
  number(tag: number, value: number): void {
    const top = value > 0xffff_ffff ? Math.floor(value / 0x1_0000_0000) : 0;
    const low = Math.imul(Math.imul(tag, LOW_SEED) ^ value, 0x85ebca6b) ^ Math.imul(top, 0x27d4eb2f);
    const high = Math.imul(Math.imul(tag, HIGH_SEED) ^ value ^ (low >>> 13), 0xc2b2ae35);
    this.add(low, high ^ Math.imul(top, 0x165667b1));
  }

  beginArray(): void {
    this.#arrayLow = 0;
    this.#arrayHigh = 0;
  }

  /** Adds an element, whose own hash is complete, to the array. */
  element(of: ObjectHash): void {
    const low = (Math.imul(this.#arrayLow ^ of.low, LOW_FACTOR) + 1) | 0;
    this.#arrayLow = low;
    this.#arrayHigh = Math.imul(this.#arrayHigh ^ of.high, HIGH_FACTOR) ^ (low >>> 15);
  }

  /** Adds the array as a member. */
  endArray(tag: number, length: number): void {
    if (length === 0) return;
    this.add(Math.imul(tag, LOW_SEED) ^ this.#arrayLow ^ length, Math.imul(tag, HIGH_SEED) ^ this.#arrayHigh);
  }

  /** Adds a member as two halves of its hash. */
  add(low: number, high: number): void {
    const mixed = finalized(low);
    this.low = (this.low + mixed) | 0;
    this.high = (this.high + finalized(high ^ mixed)) | 0;
  }

  digest(): number {
    const low = finalized(this.low);
    const high = finalized(this.high ^ low);
    return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
  }
}

const LOW_SEED = 0x2f1b2c3d;
const HIGH_SEED = 0x5bd1e995;
const LOW_FACTOR = 0x9e3779b1;
const HIGH_FACTOR = 0x5f356495;

/** The finalizer of MurmurHash3. */
function finalized(half: number): number {
  let hash = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * A hash of what an order says, without its orderId: 53 bits, so that it is a plain number. It differs where `orderFingerprint` differs, and
 * costs a tenth of that. It is not cryptographic and never leaves this process: a client that forges a collision with an order of
 * its own only gets the answer for that order again, and the definitive comparison is the order-validator's.
 */
export class ContentHash {
  readonly #order = new ObjectHash();
  readonly #item = new ObjectHash();
  readonly #modifier = new ObjectHash();

  /** The hash of a decoded, valid order. */
  of(order: Order): number {
    const hash = this.#order;
    hash.begin();
    hash.text(STORE_ID, order.storeId);
    hash.text(CHANNEL, order.channel);
    hash.text(PLACED_AT, order.placedAt);
    hash.text(CURRENCY, order.currency);
    hash.number(TOTAL, order.total);
    if (order.customerId !== undefined) hash.text(CUSTOMER_ID, order.customerId);
    hash.text(METHOD, order.payment.method);
    if (order.payment.token !== undefined) hash.text(TOKEN, order.payment.token);
    hash.beginArray();
    for (const item of order.items) {
      this.#addItem(item);
      hash.element(this.#item);
    }
    hash.endArray(ITEMS, order.items.length);
    return hash.digest();
  }

  #addItem({ sku, quantity, unitPrice, note, modifiers = [] }: OrderItem): void {
    const hash = this.#item;
    hash.begin();
    hash.text(SKU, sku);
    hash.number(QUANTITY, quantity);
    hash.number(UNIT_PRICE, unitPrice);
    if (note !== undefined) hash.text(NOTE, note);
    hash.beginArray();
    for (const modifier of modifiers) {
      this.#addModifier(modifier);
      hash.element(this.#modifier);
    }
    hash.endArray(MODIFIERS, modifiers.length);
  }

  #addModifier({ sku, quantity = 1, unitPrice }: OrderModifier): void {
    const hash = this.#modifier;
    hash.begin();
    hash.text(SKU, sku);
    hash.number(QUANTITY, quantity);
    hash.number(UNIT_PRICE, unitPrice);
  }
}

/** What the reception needs to know of a valid order. */
export interface OrderContent {
  key: OrderKey;
  storeId: string;
  /** `ContentHash` of the order. */
  content: number;
}

/** Longer orders are rare, and are decoded. */
const SCANNED_MAX = 16_384;

/** Each method `take…` reads one thing at a position and returns the position behind it; this, when the thing is not there. */
const NOT_THERE = -1;

/** This many digits make a number of 32 bits, whichever digits they are. */
const INTEGER_LENGTH_MAX = 9;

/**
 * Reads an order off its bytes without decoding it, if it is a valid order in the usual spelling: ASCII without escapes, whole numbers, times
 * in UTC. For 500 bytes that takes 1 µs; to decode, validate and hash them takes 2.4 µs and leaves objects behind.
 *
 * Limits come from the schema. When the schema has a member or a pattern that is not known here, this file fails at start.
 * `test/gateway/order-scanner.test.ts` compares the scanner with decoding and ajv.
 */
export class OrderScanner {
  /**
   * The order that is read. Behind it stand a zero, which ends every token, and room for reads of several bytes. Orders are copied here
   * because V8 then knows one buffer and its length, and because a view reads four bytes at a time.
   */
  readonly #bytes = Buffer.alloc(SCANNED_MAX + 64);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  readonly #order = new ObjectHash();
  readonly #item = new ObjectHash();
  readonly #modifier = new ObjectHash();
  /** Tag of the name that was taken last. */
  #tag = NO_TAG;
  /** Where the text begins that was taken last. It ends before its second quote. */
  #textFrom = 0;

  /**
   * `undefined` says nothing about the order: the caller then decodes and validates it. So the scanner need not know every valid order, but it
   * must never take an order that the schema refuses.
   *
   * @param likelyStore the store of the sender's token. When the order is for that store, the same string is returned and none is allocated.
   */
  scan(input: Buffer, likelyStore = ''): OrderContent | undefined {
    if (input.length > SCANNED_MAX) return undefined;
    const bytes = this.#bytes;
    bytes.set(input);
    bytes[input.length] = 0;
    let key: OrderKey | undefined;
    let storeId = '';
    let seen = 0;
    let tag = NO_TAG;
    this.#order.begin();
    let at = this.#takeCode(0, OPENING_BRACE);
    while (at >= 0) {
      at = this.#takeName(at, orderNames, tag);
      tag = this.#tag;
      if (at < 0 || (seen & (1 << tag)) !== 0) return undefined;
      seen |= 1 << tag;
      switch (tag) {
        case ORDER_ID:
          at = this.#takeCode(at, QUOTE);
          if (at < 0) return undefined;
          key = readOrderKey(bytes, at);
          if (key === undefined || bytes[at + ORDER_ID_LENGTH] !== QUOTE) return undefined;
          at += ORDER_ID_LENGTH + 1;
          break;
        case STORE_ID:
          at = this.#takeWords(at, this.#order, STORE_ID, storeIdMin, storeIdMax);
          if (at < 0) return undefined;
          storeId = this.#isText(this.#textFrom, at - 1, likelyStore)
            ? likelyStore
            : bytes.toString('latin1', this.#textFrom, at - 1);
          break;
        case CHANNEL:
          at = this.#takeText(at, this.#order, CHANNEL, 0, LONGEST);
          if (at < 0 || !this.#isOneOf(this.#textFrom, at - 1, channels)) return undefined;
          break;
        case PLACED_AT:
          at = this.#takeText(at, this.#order, PLACED_AT, 0, LONGEST);
          if (at < 0 || !this.#isDateTime(this.#textFrom, at - 1)) return undefined;
          break;
        case CURRENCY:
          at = this.#takeText(at, this.#order, CURRENCY, 3, 3);
          if (at < 0 || !this.#isCurrency(this.#textFrom)) return undefined;
          break;
        case ITEMS:
          at = this.#takeItems(at);
          break;
        case TOTAL:
          at = this.#takeInteger(at, this.#order, TOTAL, totalMin, totalMax);
          break;
        case CUSTOMER_ID:
          at = this.#takeText(at, this.#order, CUSTOMER_ID, customerIdMin, customerIdMax);
          break;
        default:
          at = this.#takePayment(at);
      }
      if (at < 0) return undefined;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if (key === undefined || (seen & orderNames.required) !== orderNames.required) return undefined;
    at = this.#takeCode(at, CLOSING_BRACE);
    if (at < 0 || this.#skipSpace(at) !== input.length) return undefined;
    return { key, storeId, content: this.#order.digest() };
  }

  #takePayment(from: number): number {
    const bytes = this.#bytes;
    let seen = 0;
    let isCash = false;
    let tag = NO_TAG;
    let at = this.#takeCode(from, OPENING_BRACE);
    while (at >= 0) {
      at = this.#takeName(at, paymentNames, tag);
      tag = this.#tag;
      if (at < 0 || (seen & (1 << tag)) !== 0) return NOT_THERE;
      seen |= 1 << tag;
      if (tag === METHOD) {
        at = this.#takeText(at, this.#order, METHOD, 0, LONGEST);
        if (at < 0 || !this.#isOneOf(this.#textFrom, at - 1, methods)) return NOT_THERE;
        isCash = this.#equals(this.#textFrom, at - 1, cash);
      } else at = this.#takeText(at, this.#order, TOKEN, tokenMin, tokenMax);
      if (at < 0) return NOT_THERE;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    const hasToken = (seen & (1 << TOKEN)) !== 0;
    if ((seen & paymentNames.required) !== paymentNames.required || (!isCash && !hasToken)) return NOT_THERE;
    return this.#takeCode(at, CLOSING_BRACE);
  }

  #takeItems(from: number): number {
    const bytes = this.#bytes;
    let count = 0;
    this.#order.beginArray();
    let at = this.#takeCode(from, OPENING_BRACKET);
    while (at >= 0) {
      at = this.#takeItem(at);
      if (at < 0) return NOT_THERE;
      this.#order.element(this.#item);
      count++;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if (count > itemsMax) return NOT_THERE;
    this.#order.endArray(ITEMS, count);
    return this.#takeCode(at, CLOSING_BRACKET);
  }

  #takeItem(from: number): number {
    const bytes = this.#bytes;
    let seen = 0;
    let tag = NO_TAG;
    this.#item.begin();
    let at = this.#takeCode(from, OPENING_BRACE);
    while (at >= 0) {
      at = this.#takeName(at, itemNames, tag);
      tag = this.#tag;
      if (at < 0 || (seen & (1 << tag)) !== 0) return NOT_THERE;
      seen |= 1 << tag;
      switch (tag) {
        case SKU:
          at = this.#takeWords(at, this.#item, SKU, 1, skuMax);
          break;
        case QUANTITY:
          at = this.#takeInteger(at, this.#item, QUANTITY, quantityMin, quantityMax);
          break;
        case UNIT_PRICE:
          at = this.#takeInteger(at, this.#item, UNIT_PRICE, priceMin, priceMax);
          break;
        case NOTE:
          at = this.#takeText(at, this.#item, NOTE, 0, noteMax);
          break;
        default:
          at = this.#takeModifiers(at);
      }
      if (at < 0) return NOT_THERE;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if ((seen & itemNames.required) !== itemNames.required) return NOT_THERE;
    return this.#takeCode(at, CLOSING_BRACE);
  }

  #takeModifiers(from: number): number {
    const bytes = this.#bytes;
    let count = 0;
    this.#item.beginArray();
    let at = this.#takeCode(from, OPENING_BRACKET);
    if (at < 0) return NOT_THERE;
    const none = this.#takeCode(at, CLOSING_BRACKET);
    if (none >= 0) return none;
    while (at >= 0) {
      at = this.#takeModifier(at);
      if (at < 0) return NOT_THERE;
      this.#item.element(this.#modifier);
      count++;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if (count > modifiersMax) return NOT_THERE;
    this.#item.endArray(MODIFIERS, count);
    return this.#takeCode(at, CLOSING_BRACKET);
  }

  #takeModifier(from: number): number {
    const bytes = this.#bytes;
    let seen = 0;
    let tag = NO_TAG;
    this.#modifier.begin();
    let at = this.#takeCode(from, OPENING_BRACE);
    while (at >= 0) {
      at = this.#takeName(at, modifierNames, tag);
      tag = this.#tag;
      if (at < 0 || (seen & (1 << tag)) !== 0) return NOT_THERE;
      seen |= 1 << tag;
      if (tag === SKU) at = this.#takeWords(at, this.#modifier, SKU, 1, modifierSkuMax);
      else if (tag === QUANTITY)
        at = this.#takeInteger(at, this.#modifier, QUANTITY, modifierQuantityMin, modifierQuantityMax);
      else at = this.#takeInteger(at, this.#modifier, UNIT_PRICE, modifierPriceMin, modifierPriceMax);
      if (at < 0) return NOT_THERE;
      if (bytes[at] !== COMMA) at = this.#skipSpace(at);
      if (bytes[at] !== COMMA) break;
      at++;
    }
    if ((seen & modifierNames.required) !== modifierNames.required) return NOT_THERE;
    // The schema's default.
    if ((seen & (1 << QUANTITY)) === 0) this.#modifier.number(QUANTITY, 1);
    return this.#takeCode(at, CLOSING_BRACE);
  }

  #skipSpace(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    while (isSpace[bytes[at] as number] === 1) at++;
    return at;
  }

  #takeCode(from: number, code: number): number {
    const bytes = this.#bytes;
    if (bytes[from] === code) return from + 1;
    const at = this.#skipSpace(from);
    return bytes[at] === code ? at + 1 : NOT_THERE;
  }

  /**
   * A name and its colon; `before` is the tag of the member before this one. Most clients send members in the same order each time, so the
   * name that came here in the order before is tried first: name, second quote and colon are compared as three words.
   */
  #takeName(from: number, names: Names, before: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const next = names.next[before] as number;
    const word = NAME_WORDS * next;
    const { words, masks } = names;
    if (
      bytes[from] === QUOTE &&
      (view.getInt32(from + 1, true) & (masks[word] as number)) === words[word] &&
      (view.getInt32(from + 5, true) & (masks[word + 1] as number)) === words[word + 1] &&
      (view.getInt32(from + 9, true) & (masks[word + 2] as number)) === words[word + 2]
    ) {
      this.#tag = next;
      return from + (names.widths[next] as number);
    }
    const at = this.#takeAnyName(from, names);
    if (at >= 0) names.next[before] = this.#tag;
    return at;
  }

  /** The same for a name that did not come here in the order before. */
  #takeAnyName(from: number, names: Names): number {
    const bytes = this.#bytes;
    let at = this.#takeCode(from, QUOTE);
    if (at < 0) return NOT_THERE;
    const begin = at;
    let code = bytes[at] as number;
    while (isLetter[code] === 1) {
      at++;
      code = bytes[at] as number;
    }
    const length = at - begin;
    if (code !== QUOTE || length === 0 || length > NAME_LENGTH_MAX) return NOT_THERE;
    const tag = names.tags[(length << 7) | (bytes[begin] as number)] as number;
    if (tag < 0 || !this.#equals(begin, at, names.texts[tag] as Uint8Array)) return NOT_THERE;
    this.#tag = tag;
    return this.#takeCode(at + 1, COLON);
  }

  /** A string of printable ASCII without escapes, which is hashed while it is read. */
  #takeText(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
    const bytes = this.#bytes;
    let at = this.#takeCode(from, QUOTE);
    if (at < 0) return NOT_THERE;
    this.#textFrom = at;
    let low = Math.imul(tag, LOW_SEED);
    let high = Math.imul(tag, HIGH_SEED);
    let code = bytes[at] as number;
    while (isPlain[code] === 1) {
      low = Math.imul(low ^ code, LOW_FACTOR);
      high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
      at++;
      code = bytes[at] as number;
    }
    const length = at - this.#textFrom;
    if (code !== QUOTE || length < min || length > max) return NOT_THERE;
    hash.add(low ^ length, high);
    return at + 1;
  }

  /** The same for lower-case words joined by hyphens. */
  #takeWords(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
    const bytes = this.#bytes;
    let at = this.#takeCode(from, QUOTE);
    if (at < 0) return NOT_THERE;
    this.#textFrom = at;
    let low = Math.imul(tag, LOW_SEED);
    let high = Math.imul(tag, HIGH_SEED);
    let before = DASH;
    let code = bytes[at] as number;
    while (isWord[code] === 1 || (code === DASH && before !== DASH)) {
      low = Math.imul(low ^ code, LOW_FACTOR);
      high = Math.imul(high ^ code, HIGH_FACTOR) ^ (low >>> 15);
      before = code;
      at++;
      code = bytes[at] as number;
    }
    const length = at - this.#textFrom;
    if (code !== QUOTE || before === DASH || length < min || length > max) return NOT_THERE;
    hash.add(low ^ length, high);
    return at + 1;
  }

  /** A whole number that is not negative. A fraction or an exponent is not taken: the caller then finds neither a comma nor a brace after the number. */
  #takeInteger(from: number, hash: ObjectHash, tag: number, min: number, max: number): number {
    const bytes = this.#bytes;
    let at = this.#skipSpace(from);
    const begin = at;
    let value = 0;
    let code = bytes[at] as number;
    while (code >= ZERO && code <= NINE) {
      value = (Math.imul(value, 10) + code - ZERO) | 0;
      at++;
      code = bytes[at] as number;
    }
    const length = at - begin;
    const hasLeadingZero = bytes[begin] === ZERO && length > 1;
    if (length === 0 || length > INTEGER_LENGTH_MAX || hasLeadingZero || value < min || value > max) return NOT_THERE;
    hash.number(tag, value);
    return at;
  }

  /** `2026-11-29T10:00:00Z`, with milliseconds or without; no leap days and no leap seconds. */
  #isDateTime(from: number, to: number): boolean {
    const bytes = this.#bytes;
    if (to - from === 24) {
      if (bytes[from + 19] !== 0x2e || this.#twoDigits(from + 20) < 0 || this.#twoDigits(from + 21) < 0) return false;
    } else if (to - from !== 20) return false;
    const isPunctuated =
      bytes[from + 4] === DASH &&
      bytes[from + 7] === DASH &&
      bytes[from + 10] === 0x54 &&
      bytes[from + 13] === COLON &&
      bytes[from + 16] === COLON &&
      bytes[to - 1] === 0x5a;
    const day = this.#twoDigits(from + 8);
    return (
      isPunctuated &&
      this.#twoDigits(from) === CENTURY &&
      this.#twoDigits(from + 2) >= 0 &&
      day > 0 &&
      day <= (daysOfMonth[this.#twoDigits(from + 5)] ?? 0) &&
      isBelow(24, this.#twoDigits(from + 11)) &&
      isBelow(60, this.#twoDigits(from + 14)) &&
      isBelow(60, this.#twoDigits(from + 17))
    );
  }

  /** Negative where there are not two digits. */
  #twoDigits(at: number): number {
    const bytes = this.#bytes;
    const tens = (bytes[at] as number) - ZERO;
    const ones = (bytes[at + 1] as number) - ZERO;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
  }

  #isCurrency(from: number): boolean {
    const bytes = this.#bytes;
    for (let at = from; at < from + 3; at++) {
      const code = bytes[at] as number;
      if (code < 0x41 || code > 0x5a) return false;
    }
    return true;
  }

  #isOneOf(from: number, to: number, texts: readonly Uint8Array[]): boolean {
    for (const text of texts) if (this.#equals(from, to, text)) return true;
    return false;
  }

  #isText(from: number, to: number, text: string): boolean {
    const bytes = this.#bytes;
    if (to - from !== text.length) return false;
    for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  #equals(from: number, to: number, text: Uint8Array): boolean {
    const bytes = this.#bytes;
    if (to - from !== text.length) return false;
    for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text[index]) return false;
    return true;
  }
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

/** The first two digits of every year that the schema takes. */
const CENTURY = 20;
const daysOfMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isBelow(bound: number, value: number): boolean {
  return value >= 0 && value < bound;
}

/** By character code: space, letters of names, characters of words, and characters that a string contains without escapes. */
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
/** Longer than any text that is compared with a list of allowed texts. */
const LONGEST = 64;

const orderNames = namesOf(orderSchema, {
  orderId: ORDER_ID,
  storeId: STORE_ID,
  channel: CHANNEL,
  placedAt: PLACED_AT,
  currency: CURRENCY,
  items: ITEMS,
  total: TOTAL,
  customerId: CUSTOMER_ID,
  payment: PAYMENT,
});
const paymentNames = namesOf(orderOf.payment, { method: METHOD, token: TOKEN });
const itemNames = namesOf(orderOf.items.items, {
  sku: SKU,
  quantity: QUANTITY,
  unitPrice: UNIT_PRICE,
  note: NOTE,
  modifiers: MODIFIERS,
});
const modifierNames = namesOf(itemOf.modifiers.items, { sku: SKU, quantity: QUANTITY, unitPrice: UNIT_PRICE });
const channels = orderOf.channel.enum.map(bytesOf);
const methods = paymentOf.method.enum.map(bytesOf);
const cash = bytesOf('cash');

for (const schema of [orderOf.storeId, itemOf.sku, modifierOf.sku])
  assert.equal(setting(schema, 'pattern'), '^[a-z0-9]+(-[a-z0-9]+)*$');
assert.equal(setting(orderOf.orderId, 'pattern'), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$');
assert.equal(setting(orderOf.currency, 'pattern'), '^[A-Z]{3}$');
assert.equal(setting(orderOf.placedAt, 'format'), 'date-time');
assert.equal(setting(orderOf.placedAt, 'pattern'), `^${CENTURY}[0-9]{2}-`);
// All characters of `isPlain` are allowed by these two patterns.
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

/** A keyword of a schema; the schema's type does not have its keywords. */
function setting(schema: object, name: string): unknown {
  return Reflect.get(schema, name);
}
