// emmett-postgresql at work: `node emmett.mjs URL CALLERS SECONDS`, in the folder whose node_modules hold it.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const { getPostgreSQLEventStore } = createRequire(process.cwd() + '/')('@event-driven-io/emmett-postgresql');
const [url, callers, seconds] = [process.argv[2], +process.argv[3], +process.argv[4]];
const store = getPostgreSQLEventStore(url);
const placed = () => ({
  type: 'OrderPlaced',
  data: {
    order_id: randomUUID(), customer_id: randomUUID(), dealer_id: 'dealer-0001', vin: 'WVWZZZ1JZXW000001', make: 'Volkswagen',
    model: 'Golf', trim: '2.0 TDI Life', currency: 'EUR', price: '27450.00', tax: '5215.50', salesperson: 'anna.schmidt',
    ordered_at: '2025-06-01T10:11:12.123456+00:00', options: ['sunroof', 'tow-bar', 'winter-pack'], mileage: 12,
  },
});
const append = () => store.appendToStream(`order:${randomUUID()}`, [placed()], { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' });

await store.schema.migrate();
for (let i = 0; i < 50; i++) await append();
const latencies = [];
const used = process.cpuUsage();
const began = performance.now();
await Promise.all(Array.from({ length: callers }, async () => {
  for (let asked; (asked = performance.now()) - began < seconds * 1000;) {
    await append();
    latencies.push((performance.now() - asked) / 1000);
  }
}));
const took = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(used);
console.log(JSON.stringify({ operations: latencies.length, seconds: took, latencies, cpu: (user + system) / 1e6 }));
await store.close();
process.exit(0);
