import { describe, expect, test } from 'vitest';
import { serverProperties } from '../../stack/kafka/properties.ts';

function settings(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

describe("a broker's configuration", () => {
  test('is alone by default, with one replica of everything', () => {
    expect(settings(serverProperties({ port: 9092, controllerPort: 9093, logDir: 'C:\\kafka' }))).toMatchObject({
      'node.id': '1',
      'controller.quorum.voters': '1@127.0.0.1:9093',
      listeners: 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:9092',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'log.dirs': 'C:\\\\kafka',
    });
  });

  test('knows the other controllers of a cluster, and sends the clients of a listener elsewhere', () => {
    const controllers = new Map([
      [1, 9193],
      [2, 9293],
      [3, 9393],
    ]);
    const clientListeners = [{ name: 'FRONT', port: 9299, advertised: '127.0.0.1:7000' }];
    const text = serverProperties({
      port: 9292,
      controllerPort: 9293,
      logDir: '/data',
      nodeId: 2,
      controllers,
      clientListeners,
      settings: { 'min.insync.replicas': '2' },
    });
    expect(settings(text)).toMatchObject({
      'node.id': '2',
      'controller.quorum.voters': '1@127.0.0.1:9193,2@127.0.0.1:9293,3@127.0.0.1:9393',
      listeners: 'PLAINTEXT://127.0.0.1:9292,CONTROLLER://127.0.0.1:9293,FRONT://127.0.0.1:9299',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:9292,FRONT://127.0.0.1:7000',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT',
      'offsets.topic.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'min.insync.replicas': '2',
    });
  });
});
