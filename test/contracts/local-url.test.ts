import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { hostPort, localUrl } from '../../contracts/local-url.ts';

test('an IPv6 address is in brackets, a name and an IPv4 address are not', () => {
  expect(hostPort('::1', 9092)).toBe('[::1]:9092');
  expect(hostPort('127.0.0.1', 9092)).toBe('127.0.0.1:9092');
  expect(hostPort('broker.example', 9092)).toBe('broker.example:9092');
});

test('what listens everywhere is reached on the loopback address', () => {
  expect(localUrl(loadConfig({ ORDERMESH_HOST: '::' }), 8080).href).toBe('http://127.0.0.1:8080/');
  expect(localUrl(loadConfig({ ORDERMESH_HOST: '::1' }), 8080, 'https').href).toBe('https://[::1]:8080/');
});
