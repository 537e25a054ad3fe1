// The program of the page: shows the store that the address names, or else the chain. Loaded by index.html.

import { showChainPage } from './chain-page.ts';
import { admission } from './pairing.ts';
import { showStorePage } from './store-page.ts';

const inPath = /^\/stores\/([^/]+)$/.exec(location.pathname)?.[1];
const storeId = inPath === undefined ? new URLSearchParams(location.search).get('store') : decoded(inPath);

const wants = storeId === null || storeId === '' ? undefined : storeId;
const admittedTo = await admission(wants);

// A screen of one store shows that store, whatever its address says.
if (admittedTo !== undefined && admittedTo !== wants) location.replace(`/stores/${encodeURIComponent(admittedTo)}`);
else if (wants === undefined) showChainPage();
else showStorePage(wants);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Text that cannot be decoded is not a store id; the page says that there is no such store.
    return text;
  }
}
