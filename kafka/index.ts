/** The room's door: what others import. Implementations stay behind it. */
export * from './consumer.ts';
export * from './errors.ts';
export * from './producer.ts';
