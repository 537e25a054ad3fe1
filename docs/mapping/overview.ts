/** The text of `docs/mapping/README.md` in front of its table. */
export const overview = `# Orders of other platforms

How an order of Square, Toast, Deliverect and Uber Eats becomes an order of version 1.1. Each platform has a page with its
fields and an order before and after, and a mapper in \`lab/mapping/\`: a function without a framework, to copy and adapt.
\`npm run docs\` writes this page.

\`\`\`ts
import { mappers } from '../../lab/mapping/index.ts';

const order = mappers.square.map(squareOrder, { storeId: 'au-nsw-0001', currency: 'AUD' });
await fetch(\`\${gateway}/v1/orders\`, { method: 'POST', headers, body: JSON.stringify(order) });
\`\`\`

## What a test proves

\`test/mapping/mapping.test.ts\` walks over every value of a sample: it is in the order, where the mapper's table says, or the
table leaves it out with a reason. The test takes each value of the order away and sees that this is noticed. The order's
total is the platform's. \`test/mapping/mapping.integration.test.ts\` sends the four orders to a gateway, and waits until each is
validated, paid and on its ticket, with number, guest, notes and allergies.

## The samples

The samples are not copies of the platforms' own, which are theirs to publish and in part masked (\`YYYY-MM-DD\`,
\`62***7c\`). Each is built field by field: the field names and the
structure that are published, shortened where fields repeat, and values of our own that add up. Most of Square's and Toast's
field names come from re-published copies of their schemas. Of Deliverect's and Uber's pages only the beginning could be
read: the rest of their field names (Deliverect's sub-items, Uber's charges and allergies) comes from public client libraries.
A few names of each platform could not be checked at all. Compare them with the platform's page before you rely on
them. What we could not read, we had to assume:

| platform | assumed |
| --- | --- |
| Toast | the quantity of a modifier is for one of what it modifies; \`plu\` is set for every item |
| Deliverect | the quantity of a sub-item is for one of its parent; \`payment.amount\` contains the tips |
| Uber Eats | the quantity of a choice is for one of its parent; \`total\` is goods and tax after promotions, fees and tips |

A mapper refuses an order that does not add up to the platform's total, and says by how much. So a wrong assumption, or a
fee that the mapper does not know, shows at the first order instead of in the books. A mapper knows the fields of its sample
and no others: for delivery by the store, gift cards or refunds add what you need.

## Money

- Amounts become integers in minor units. Toast has decimals, the others have minor units already.
- Tax that the prices contain is an adjustment with \`included: true\` (Square \`INCLUSIVE\`, Toast \`INCLUDED\`). All others are
  added. Discounts are negative.
- A discount on one item is an adjustment of the order. The share of each item is not kept: it changes nothing that is cooked.
- Automatic gratuities are a \`service-charge\`; what the guest chose to give is a \`tip\`.

## Who has the money

The mesh charges a card that it gets a token for. An order that was paid at the platform, or in the drawer, must not be
charged again: its method is \`cash\`, for which the mesh makes no charge, and \`metadata.paidBy\` says who has the money. Reports
by method count such orders as cash. An order that is not paid yet needs \`token\`.

## Combos, and modifiers of modifiers

- Dishes within a combo become \`parts\`, with their modifiers. Deliverect marks them (\`productType\` 1 within 1). Toast and
  Uber Eats do not: name the SKUs of your combos in \`combos\`.
- An item has one level of modifiers. Deeper levels stand behind the modifier that they belong to, for as many as there are
  of it, so stock, price and ticket have all of them. The item's note says which belong to which: \`Salmon: Ponzu\`.
- What a guest wrote about a choice is in the item's note too, behind the name of the choice.

## Notes and allergies

- An order has no note of its own. What concerns the whole order is on the first item, as \`whole order: …\`.
- A note has at most 200 characters. A mapper does not shorten it, because it may be about an allergy: the gateway
  refuses the order with 422 and names the item.
- Uber Eats names allergens, which become \`allergies\`. At the other platforms a guest's allergy is text: a note.

## What has no place

It goes into \`metadata\`, which is carried and never read: the platform's own ids and references, the location, the source,
the number of guests, server and terminal.

Names of items are on the menu, under their SKU: load a menu that has the platform's ids as SKUs (\`skuOf\` in
\`lab/mapping/values.ts\` says how an id is spelled). A quantity by weight has no place: send one piece with its price.

## What a till must not send

- Card numbers, also the last four digits, expiry dates and what was read off a card. Only a token of the payment provider.
- Phone numbers, e-mail addresses, surnames and addresses. A kitchen calls a name; a courier has the rest from the platform.

## The orderId

The orderId is the platform's own id where that is a UUID (Toast, Uber Eats), else a UUID made of the id. So an order that
the platform sends twice is one order here.

## What maps to what

An empty cell means that the platform has no such field in the sample.
`;
