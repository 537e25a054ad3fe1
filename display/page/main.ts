// The program of the page: shows the store that the address names, or else the chain. Loaded by index.html.

import { showChainPage } from './chain-page.ts';
import { showStorePage } from './store-page.ts';

const inPath = /^\/stores\/([^/]+)$/.exec(location.pathname)?.[1];
const storeId = inPath === undefined ? new URLSearchParams(location.search).get('store') : decoded(inPath);

if (storeId === null || storeId === '') showChainPage();
else showStorePage(storeId);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Text that cannot be decoded is not a store id; the page says that there is no such store.
    return text;
  }
}
