// A restore with mongodb-atlas-api-client, as it comes from npm: look around, restore, wait, done.
import assert from "node:assert/strict";
import {setTimeout as sleep} from "node:timers/promises";
import atlasClient from "mongodb-atlas-api-client";

const keys = {
  publicKey: process.env.MONGODB_ATLAS_PUBLIC_API_KEY,
  privateKey: process.env.MONGODB_ATLAS_PRIVATE_API_KEY,
};

for (const api of ["v1.0", "v2"]) {
  const baseUrl = `${process.env.MONGODB_ATLAS_BASE_URL}/api/atlas/${api}`;
  const account = atlasClient({...keys, baseUrl});
  const [organization] = (await account.organization.getAll()).results;
  const projects = (await account.organization.getAllProjectsForOrganization(organization.id)).results;
  const project = projects.find(({name}) => name === "Project 0") ?? projects[0];
  assert.equal((await account.project.getByName(project.name)).id, project.id);

  const atlas = atlasClient({...keys, baseUrl, projectId: project.id});
  const clusters = (await atlas.cluster.getAll()).results;
  let snapshots = [];
  let cluster;
  for (const one of clusters) {
    const found = (await atlas.cloudBackup.getAllReplicaSetCloudBackups(one.name)).results ?? [];
    if (found.length > 0) [cluster, snapshots] = [one.name, found];
  }
  const snapshot = snapshots.at(-1);
  assert.equal((await atlas.cloudBackup.getReplicaSetCloudBackup(cluster, snapshot.id)).status, "completed");

  const job = await atlas.cloudBackup.createSnapshotRestoreJob(cluster, {
    deliveryType: "automated",
    snapshotId: snapshot.id,
    targetClusterName: cluster,
    targetGroupId: project.id,
  });
  assert.ok(job.id, JSON.stringify(job));
  const deadline = Date.now() + 20_000;
  while (!(await atlas.cloudBackup.getSnapshotRestoreJob(cluster, job.id)).finishedAt) {
    assert.ok(Date.now() < deadline, "the restore does not end");
    await sleep(100);
  }
}
console.log("mongodb-atlas-api-client: done");
