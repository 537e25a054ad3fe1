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
    // An address that is no proper encoding names a store that there is not, and the page says so.
    return text;
  }
}
