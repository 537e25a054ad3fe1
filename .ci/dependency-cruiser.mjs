/**
 * Runs dependency-cruiser on TypeScript 5: it parses with the compiler's JavaScript API, which TypeScript 7 no longer has. The older
 * compiler is installed beside, under the name `dependency-cruiser-typescript`.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const compiler = /^typescript(\/.*)?$/.exec(specifier);
    const asks = context.parentURL?.includes('/node_modules/dependency-cruiser/') ?? false;
    const resolved = compiler !== null && asks ? `dependency-cruiser-typescript${compiler[1] ?? ''}` : specifier;
    return nextResolve(resolved, context);
  },
});

await import(new URL('../node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', import.meta.url).href);
