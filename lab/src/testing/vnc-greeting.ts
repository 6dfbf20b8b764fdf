import { connect } from 'node:tls';

/**
 * What a VNC server behind a websocket says first. Rejects when the websocket is refused. The certificate is not looked at:
 * AcquireTicket tells its thumbprint to whoever wants to.
 */
export function readVncGreeting(url: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, timeout: 10_000 });
    let heard = Buffer.alloc(0);
    socket.on('secureConnect', () => {
      const headers = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
      const request = [`GET ${pathname} HTTP/1.1`, `Host: ${hostname}:${port}`, ...headers];
      socket.write(
        `${request.join('\r\n')}\r\nSec-WebSocket-Key: ${btoa('0123456789abcdef')}\r\nSec-WebSocket-Protocol: binary\r\n\r\n`,
      );
    });
    socket.on('data', (part: Buffer) => {
      heard = Buffer.concat([heard, part]);
      const end = heard.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!heard.toString('latin1').startsWith('HTTP/1.1 101 ')) {
        socket.destroy(new Error(heard.toString('latin1').split('\r\n')[0]));
        return;
      }
      // The first frame: binary, final, shorter than 126 bytes.
      const frame = heard.subarray(end + 4);
      const length = frame[1];
      if (length === undefined || frame.length < 2 + length) return;
      resolve(frame.toString('latin1', 2, 2 + length));
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('nothing within 10 s')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
  });
}
