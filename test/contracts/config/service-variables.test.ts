import { expect, test } from 'vitest';
import { loadConfig } from '../../../contracts/config/config.ts';
import { variables } from '../../../contracts/config/variables.ts';

/** What kubelet puts into a pod for a Service of one named port. */
function serviceVariables(service: string, port: number, portName: string, protocol = 'tcp') {
  const name = service.toUpperCase().replaceAll('-', '_');
  const base = `${name}_PORT_${port}_${protocol.toUpperCase()}`;
  return {
    [`${name}_SERVICE_HOST`]: '10.0.0.1',
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_${portName.toUpperCase().replaceAll('-', '_')}`]: String(port),
    [`${name}_PORT`]: `${protocol}://10.0.0.1:${port}`,
    [base]: `${protocol}://10.0.0.1:${port}`,
    [`${base}_PROTO`]: protocol,
    [`${base}_PORT`]: String(port),
    [`${base}_ADDR`]: '10.0.0.1',
  };
}

test.each([
  'ordermesh',
  'ordermesh-gateway',
  'ordermesh-grpc',
  'ordermesh-admin',
  'ordermesh-display',
  'ordermesh-loyalty',
  'ordermesh-order-validator-2',
  'ordermesh-gateway-port',
])('a Service called %s changes nothing', (service) => {
  for (const protocol of ['tcp', 'udp', 'sctp'])
    expect(loadConfig(serviceVariables(service, 9999, 'http-alt', protocol))).toEqual(loadConfig({}));
});

test('a Service with an IPv6 address changes nothing', () => {
  const address = { ORDERMESH_GATEWAY_PORT: 'tcp://[fd00::1]:8080', ORDERMESH_GATEWAY_SERVICE_HOST: 'fd00::1' };
  expect(loadConfig(address)).toEqual(loadConfig({}));
});

test('a Service named like any of our variables changes nothing', () => {
  for (const name of Object.keys(variables)) {
    const service = name
      .replace(/_PORT$/, '')
      .toLowerCase()
      .replaceAll('_', '-');
    expect(loadConfig(serviceVariables(service, 9999, 'x'))).toEqual(loadConfig({}));
  }
});

test('our own port counts beside the variables of a Service', () => {
  const env = { ...serviceVariables('ordermesh-gateway', 80, 'http'), ORDERMESH_GATEWAY_PORT: '9000' };
  expect(loadConfig(env).ORDERMESH_GATEWAY_PORT).toBe(9000);
});

test('a misspelt variable is refused beside the variables of a Service', () => {
  const env = { ...serviceVariables('ordermesh-gateway', 80, 'http'), ORDERMESH_GATEWAY_PORTS: '9000' };
  expect(() => loadConfig(env)).toThrow('ORDERMESH_GATEWAY_PORTS is not a variable');
});

test('an address where a port belongs is refused unless it is the address of a Service', () => {
  expect(() => loadConfig({ ORDERMESH_GATEWAY_PORT: 'http://10.0.0.1:8080' })).toThrow('ORDERMESH_GATEWAY_PORT');
  expect(() => loadConfig({ ORDERMESH_HOST: '', ORDERMESH_SLOTS: 'tcp://10.0.0.1:8080' })).toThrow('ORDERMESH_SLOTS');
});
