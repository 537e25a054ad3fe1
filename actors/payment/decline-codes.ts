/** Why a provider declines a charge. What everybody is shown comes from this table, never from what a client or a provider sent. */
export const declineDetails = {
  'card-declined': 'the payment provider declined the charge',
  'card-not-supported': 'the card is not accepted for this kind of charge',
  'do-not-honor': 'the bank of the card declined the charge',
  'expired-card': 'the card has expired',
  'fraud-suspected': 'the payment provider suspects fraud',
  'incorrect-cvc': "the card's security code is wrong",
  'insufficient-funds': 'there is not enough money on the card',
  'limit-exceeded': "the card's limit is exceeded",
  'lost-card': 'the card was reported lost',
  'processing-error': 'the card could not be processed',
  'stolen-card': 'the card was reported stolen',
} as const;

export type DeclineCode = keyof typeof declineDetails;

/** The code as the table has it; the general one for whatever the table does not have. */
export function declineCodeOf(text: string | null): DeclineCode {
  return text !== null && Object.hasOwn(declineDetails, text) ? (text as DeclineCode) : 'card-declined';
}
