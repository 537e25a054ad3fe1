export function rebindLibc(file: Buffer, versions: { from: string; to: string }): string[];
export function elfHash(name: string): number;
