import { isPortFree } from '../../stack/ports.ts';

/** The first of `count` free ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = 10_000 + Math.floor(Math.random() * 9_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map((port) => isPortFree(port)))).every(Boolean)) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}
