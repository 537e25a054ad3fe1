import { input } from './input.ts';
import { instantToken } from './instant-token.ts';
import { nameToken } from './name-token.ts';
import { textTokens } from './text-tokens.ts';
import { valueTokens } from './value-tokens.ts';

/*
 * Readers of the tokens of JSON. The code that generation/scanner-source.ts writes calls them by the names of this object.
 *
 * Each function `take…` reads one thing at a position and returns the position behind it, or -1 when the thing is not there. Readers of values
 * hash the value while they read it. There is one buffer for all scanners: a scan begins and ends in one call.
 *
 * V8 folds a constant or a function of a module into the code that uses it, but reads what is imported from another module, or exported, from
 * memory at each use. So each file here exports one object, and takes what it needs of another file's object into constants of its own. With
 * plain imports the scanner was half as fast.
 */
export const tokens = { ...input, ...nameToken, ...textTokens, ...instantToken, ...valueTokens };
