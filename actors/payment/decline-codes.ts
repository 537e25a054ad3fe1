/** Why a provider declines a charge. People only see texts from this table, never what a client or a provider sent. */
export const declineDetails = {
  'authentication-required': 'the bank of the card asks the guest to authenticate the payment',
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

/** The code if the table has it, otherwise the general one. */
export function declineCodeOf(text: string | null): DeclineCode {
  return text !== null && Object.hasOwn(declineDetails, text) ? (text as DeclineCode) : 'card-declined';
}

export function declined(code: DeclineCode): { status: 'declined'; code: DeclineCode; detail: string } {
  return { status: 'declined', code, detail: declineDetails[code] };
}
