// What mongodb-mcp-server, as it comes from npm, looks up in Atlas: organizations, projects, clusters. It insists on https.
import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {createInterface} from "node:readline";
import {fileURLToPath} from "node:url";

const program = fileURLToPath(new URL("node_modules/mongodb-mcp-server/dist/index.js", import.meta.url));
const server = spawn(process.execPath, [program], {
  stdio: ["pipe", "pipe", "ignore"],
  env: {
    ...process.env,
    MDB_MCP_API_BASE_URL: `${process.env.MONGODB_ATLAS_BASE_URL}/`,
    MDB_MCP_API_CLIENT_ID: process.env.MONGODB_ATLAS_CLIENT_ID,
    MDB_MCP_API_CLIENT_SECRET: process.env.MONGODB_ATLAS_CLIENT_SECRET,
    MDB_MCP_TELEMETRY: "disabled",
  },
});
const waiting = new Map();
createInterface({input: server.stdout}).on("line", line => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});
const say = message => server.stdin.write(`${JSON.stringify({jsonrpc: "2.0", ...message})}\n`);
let number = 0;
const ask = (method, params) => new Promise(resolve => {
  waiting.set(++number, resolve);
  say({id: number, method, params});
});
const call = async (name, args) => {
  const {result, error} = await ask("tools/call", {name, arguments: args});
  assert.ok(!error && !result.isError, `${name}: ${JSON.stringify(error ?? result.content)}`);
  return result.structuredContent;
};

const limit = setTimeout(() => { console.error("mongodb-mcp-server does not answer"); process.exit(1); }, 60_000);
try {
  await ask("initialize", {protocolVersion: "2025-03-26", capabilities: {}, clientInfo: {name: "proof", version: "1"}});
  say({method: "notifications/initialized"});
  const {organizations: [organization]} = await call("atlas-list-orgs", {});
  const {projects} = await call("atlas-list-projects", {orgId: organization.id});
  const {clusters} = await call("atlas-list-clusters", {});
  assert.ok(projects.length > 0 && clusters.length > 0);
  for (const {projectId, clusterName} of clusters) {
    assert.equal((await call("atlas-inspect-cluster", {projectId, clusterName})).name, clusterName);
  }
  for (const {id} of projects) {
    await call("atlas-list-clusters", {projectId: id});
    await call("atlas-list-alerts", {projectId: id});
  }
  console.log("mongodb-mcp-server: done");
} finally {
  clearTimeout(limit);
  server.kill();
}
