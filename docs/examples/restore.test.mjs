import assert from "node:assert/strict";
import test from "node:test";
import {setTimeout as sleep} from "node:timers/promises";

const base = process.env.MONGODB_ATLAS_BASE_URL;
const steer = (action, body = {}) => fetch(`${base}/_control/${action}`, {method: "POST", body: JSON.stringify(body)});

// Stands for your client.
async function login() {
  const {MONGODB_ATLAS_CLIENT_ID: id, MONGODB_ATLAS_CLIENT_SECRET: secret} = process.env;
  const answer = await fetch(`${base}/api/oauth/token`, {
    method: "POST",
    headers: {Authorization: `Basic ${btoa(`${id}:${secret}`)}`},
    body: new URLSearchParams({grant_type: "client_credentials"}),
  });
  const headers = {
    Authorization: `Bearer ${(await answer.json()).access_token}`,
    Accept: "application/vnd.atlas.2025-03-12+json",
    "Content-Type": "application/json",
  };
  return async (path, body) => {
    const method = body ? "POST" : "GET";
    const found = await fetch(`${base}/api/atlas/v2${path}`, {method, headers, body: body && JSON.stringify(body)});
    assert.equal(found.status, 200);
    return found.json();
  };
}

async function restore(atlas) {
  const [project] = (await atlas("/groups")).results;
  const [cluster] = (await atlas(`/groups/${project.id}/flexClusters`)).results;
  const backup = `/groups/${project.id}/flexClusters/${cluster.name}/backup`;
  const snapshot = (await atlas(`${backup}/snapshots`)).results.at(-1);
  const wanted = {snapshotId: snapshot.id, targetDeploymentItemName: cluster.name};
  const job = await atlas(`${backup}/restoreJobs`, wanted);
  return async () => (await atlas(`${backup}/restoreJobs/${job.id}`)).status;
}

test("restore, wait, done", async () => {
  const status = await restore(await login());
  while ((await status()) !== "COMPLETED") await sleep(50);
});

test("a restore of an hour takes no time", async () => {
  await steer("reset");
  await steer("freeze");
  const status = await restore(await login());
  assert.equal(await status(), "PENDING");
  await steer("advance", {minutes: 60});
  assert.equal(await status(), "COMPLETED");
  await steer("reset");
});

test("a restore that fails", async () => {
  await steer("fail-next");
  const status = await restore(await login());
  await steer("advance", {to: "end"});
  assert.equal(await status(), "FAILED");
  await steer("reset");
});
