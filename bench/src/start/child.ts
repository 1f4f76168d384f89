// A fresh process that loads the given modules and reports what that took: `child.js <url>…`. It
// imports nothing itself.

for (const module of process.argv.slice(2)) await import(module);
const time = performance.now();
const { user, system } = process.cpuUsage();
const { rss } = process.memoryUsage();
process.stdout.write(JSON.stringify({ time, cpu: (user + system) / 1_000, rss }));
