// Turns the gRPC message of an order into its JSON document. Called by messages.ts.

import { enumWords } from './definition.ts';

/** The messages as the proto loader decodes them: fields that were not on the wire are absent. */
export interface OrderMessage {
  orderId?: string;
  storeId?: string;
  channel?: number;
  placedAt?: string;
  currency?: string;
  items?: ItemMessage[];
  total?: number;
  customerId?: string;
  payment?: { method?: number; token?: string };
  number?: string;
  guest?: { name?: string };
  fulfilment?: { type?: number; table?: string; promisedAt?: string };
  adjustments?: AdjustmentMessage[];
  metadata?: Record<string, string>;
}

interface AdjustmentMessage {
  kind?: number;
  name?: string;
  amount?: number;
  included?: boolean;
}

interface ItemMessage {
  sku?: string;
  quantity?: number;
  unitPrice?: number;
  modifiers?: ModifierMessage[];
  note?: string;
  parts?: PartMessage[];
  allergies?: string[];
}

interface PartMessage {
  sku?: string;
  quantity?: number;
  unitPrice?: number;
  modifiers?: ModifierMessage[];
}

interface ModifierMessage {
  sku?: string;
  quantity?: number;
  unitPrice?: number;
}

const channels = enumWords('ordermesh.v1.Channel', 'CHANNEL_');
const fulfilments = enumWords('ordermesh.v1.FulfilmentType', 'FULFILMENT_TYPE_');
const adjustmentKinds = enumWords('ordermesh.v1.AdjustmentKind', 'ADJUSTMENT_KIND_');
const methods = enumWords('ordermesh.v1.PaymentMethod', 'PAYMENT_METHOD_');

/**
 * An order's message as the JSON document of the same order, which the schema then checks. A number that is not on the wire is 0 (proto3
 * sends none); a text, an enum value or a message that isn't there is absent, so that the schema's answer is "is required".
 */
export function orderValue(message: OrderMessage): object {
  const { orderId, storeId, channel, placedAt, currency, items, total = 0, customerId, payment } = message;
  const { number, guest, fulfilment, adjustments, metadata } = message;
  const order = {
    storeId: text(storeId),
    channel: word(channels, channel),
    placedAt: text(placedAt),
    currency: text(currency),
    items: items === undefined ? [] : items.map(itemValue),
    adjustments: adjustments?.map(adjustmentValue),
    total,
    customerId,
    payment: payment === undefined ? undefined : { method: word(methods, payment.method), token: payment.token },
    number,
    guest: guest === undefined ? undefined : { name: text(guest.name) },
    fulfilment: fulfilment === undefined ? undefined : { ...fulfilment, type: word(fulfilments, fulfilment.type) },
    metadata,
  };
  return orderId === undefined ? order : { orderId, ...order };
}

function itemValue({ sku, quantity = 0, unitPrice = 0, modifiers, note, parts, allergies }: ItemMessage): object {
  return {
    sku: text(sku),
    quantity,
    unitPrice,
    modifiers: modifiers?.map(modifierValue),
    parts: parts?.map(partValue),
    allergies,
    note,
  };
}

function partValue({ sku, quantity = 0, unitPrice = 0, modifiers }: PartMessage): object {
  return { sku: text(sku), quantity, unitPrice, modifiers: modifiers?.map(modifierValue) };
}

function adjustmentValue({ kind, name, amount = 0, included }: AdjustmentMessage): object {
  return { kind: word(adjustmentKinds, kind), name, amount, included };
}

function modifierValue({ sku, quantity, unitPrice = 0 }: ModifierMessage): object {
  return { sku: text(sku), quantity, unitPrice };
}

/** A text field without presence: proto3 does not distinguish an empty text from an absent one. */
function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** A number that is not in the enum is returned as it is; the schema then refuses it and lists the allowed words. */
function word(words: readonly (string | undefined)[], value: number | undefined): string | number | undefined {
  if (value === undefined || value === 0) return undefined;
  return words[value] ?? value;
}
