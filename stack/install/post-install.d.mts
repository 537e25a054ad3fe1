export function repairAddon(directory: string): string | undefined;
export function rebindAddon(name: string, bytes: Buffer): string[];
