/** The room's door: what other rooms import. */
export { issueToken } from './issuer.ts';
export { assertIssuer, storeTokens } from './store-tokens.ts';
