/** The room's door: what other rooms import. */
export { chainMenu, chainMenuFile } from './chain.ts';
export { createTraffic, type GeneratedOrder } from './generator.ts';
export { runOpenLoop } from './open-loop.ts';
export { createRandom, randomSeed, zipf } from './random.ts';
export { createSender, pause, type SenderOptions, type SendReport, type SendResult } from './sender.ts';
export { assertGrpcAnswers, transports, type Via } from './transport/transport.ts';
export { wholeDay } from './whole-day.ts';
