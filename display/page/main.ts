import { showChainPage } from './chain-page.ts';
import { showStorePage } from './store-page.ts';

const storeId =
  /^\/stores\/([^/]+)$/.exec(location.pathname)?.[1] ?? new URLSearchParams(location.search).get('store') ?? undefined;

if (storeId === undefined) showChainPage();
else showStorePage(decodeURIComponent(storeId));
