/** The bundled scenario from a Kubernetes audit log. @module */
import type { Scenario } from "../scenario.ts";
import { auditRules as rules } from "./_audit_rules.ts";
import type { Fields } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";

const anonymous: Fields = { "ka.user.name": "system:anonymous" };
const contractor: Fields = { "ka.user.name": "contractor-17@example.com" };
const deployer: Fields = { "ka.user.name": "system:serviceaccount:ci:deployer" };
const metrics: Fields = { "ka.user.name": "system:serviceaccount:kube-system:metrics-agent" };
const admin: Fields = { "ka.user.name": "kubernetes-admin" };

const byBinding = {
  "ka.auth.decision": "allow",
  "ka.auth.reason": 'allowed by ClusterRoleBinding "ci-deployer", ClusterRole "deployer"',
};
const byAdmin = {
  "ka.auth.decision": "allow",
  "ka.auth.reason": 'allowed by ClusterRoleBinding "metrics-agent", ClusterRole "cluster-admin"',
};

/** A request for the objects of a kind, or for one of them. */
function request(
  who: Fields,
  verb: string,
  resource: string,
  namespace: string | null,
  name: string | null,
  more: Fields = {},
): Fields {
  const group = groups[resource] ?? "/api/v1";
  const scope = namespace === null ? "" : `/namespaces/${namespace}`;
  const tail = name === null || verb === "create" ? "" : `/${name}`;
  return {
    ...who,
    "ka.response.code": verb === "create" ? "201" : "200",
    "ka.target.name": name,
    "ka.target.namespace": namespace,
    "ka.target.resource": resource,
    "ka.uri": `${group}${scope}/${resource}${tail}`,
    "ka.verb": verb,
    ...more,
  };
}

const groups: { readonly [resource: string]: string | undefined } = {
  clusterrolebindings: "/apis/rbac.authorization.k8s.io/v1",
  clusterroles: "/apis/rbac.authorization.k8s.io/v1",
  deployments: "/apis/apps/v1",
};

/** A command in a pod; the API server calls that creating a subresource. */
function exec(who: Fields, namespace: string, pod: string, command: string): Fields {
  const uri = `/api/v1/namespaces/${namespace}/pods/${pod}/exec?command=${
    encodeURIComponent(command)
  }&stdin=true&stdout=true&tty=true`;
  return request(who, "create", "pods", namespace, pod, {
    "ka.response.code": "101",
    "ka.target.subresource": "exec",
    "ka.uri": uri,
    "ka.uri.param[command]": command,
  });
}

/** A new pod with one container; lists are arrays in Falco's JSON. */
function pod(namespace: string, name: string, image: string, more: Fields): Fields {
  return request(metrics, "create", "pods", namespace, name, {
    "ka.req.pod.containers.image": [image],
    "ka.resp.name": name,
    ...more,
  });
}

const refused = { "ka.response.code": "403" };
const noReason = { "ka.auth.decision": "forbid", "ka.auth.reason": null, ...refused };
const tools = "registry.example.com/tools/netshoot:1.4";

/**
 * A cluster taken over by way of its API server, as the audit log shows it: anonymous requests, a
 * contractor's account out of hours, a deploy token that reads secrets and makes itself
 * cluster-admin, pods with the rights of their node; then the administrators clean up. Half an hour;
 * its source is `k8s_audit`, and its fields hold arrays and nulls.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * assert.equal(scenarios.k8sAudit.source, "k8s_audit");
 * assert(scenarios.k8sAudit.alerts.some((alert) => alert.rule === "Attach/Exec Pod"));
 * ```
 */
export const k8sAudit: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "k8s audit",
  description:
    "An account and a deploy token in the wrong hands: secrets read, cluster-admin taken, " +
    "privileged pods created, and the administrators' answer.",
  falcoVersion: "0.43.1",
  start: "2026-01-01T04:00:00Z",
  hostname: "falco-k8saudit-6f7d9c48b5-qs4vn",
  source: "k8s_audit",
  alerts: [
    {
      ...rules.anonymousAllowed,
      output_fields: request(anonymous, "list", "namespaces", null, null, {
        "ka.auth.decision": "allow",
        "ka.auth.reason": 'allowed by ClusterRoleBinding "status-page", ClusterRole "view"',
      }),
    },
    {
      ...rules.anonymousAllowed,
      afterMs: 4_120,
      output_fields: request(anonymous, "get", "configmaps", "ci", "pipeline", {
        "ka.auth.decision": "allow",
        "ka.auth.reason": 'allowed by ClusterRoleBinding "status-page", ClusterRole "view"',
      }),
    },
    {
      ...rules.disallowedUser,
      afterMs: 131_000,
      output_fields: request(contractor, "list", "secrets", null, null, refused),
    },
    {
      ...rules.disallowedUser,
      afterMs: 7_480,
      repeat: 3,
      everyMs: 2_500,
      output_fields: request(contractor, "get", "secrets", "ci", "registry-login", refused),
    },
    {
      ...rules.disallowedUser,
      afterMs: 40_066,
      output_fields: request(contractor, "create", "serviceaccounts", "ci", "deployer", {
        "ka.target.subresource": "token",
        "ka.uri": "/api/v1/namespaces/ci/serviceaccounts/deployer/token",
      }),
    },
    {
      ...rules.secretRefused,
      afterMs: 66_300,
      output_fields: request(deployer, "get", "secrets", "payments", "gateway-key", noReason),
    },
    {
      ...rules.secretRead,
      afterMs: 9_014,
      output_fields: request(deployer, "get", "secrets", "ci", "registry-login", byBinding),
    },
    {
      ...rules.secretRead,
      afterMs: 1_230,
      output_fields: request(deployer, "get", "secrets", "ci", "signing-key", byBinding),
    },
    {
      // No `create` among its verbs: `get` is enough to exec over a WebSocket.
      ...rules.roleWithExec,
      afterMs: 88_410,
      output_fields: request(deployer, "create", "clusterroles", null, "log-reader", {
        "ka.req.role.rules": ['{"apiGroups":[""],"resources":["pods/exec"],"verbs":["get"]}'],
      }),
    },
    {
      ...rules.kubeServiceAccount,
      afterMs: 15_370,
      output_fields: request(deployer, "create", "serviceaccounts", "kube-system", "metrics-agent"),
    },
    {
      ...rules.clusterAdmin,
      afterMs: 2_204,
      output_fields: request(deployer, "create", "clusterrolebindings", null, "metrics-agent", {
        "ka.req.binding.role": "cluster-admin",
        "ka.req.binding.subjects": [
          '{"kind":"ServiceAccount","name":"metrics-agent","namespace":"kube-system"}',
        ],
      }),
    },
    {
      ...rules.disallowedNamespace,
      afterMs: 120_900,
      output_fields: request(metrics, "create", "namespaces", null, "metrics-sys"),
    },
    {
      ...rules.serviceAccountCreated,
      afterMs: 310,
      output_fields: request(
        { "ka.user.name": "system:kube-controller-manager" },
        "create",
        "serviceaccounts",
        "metrics-sys",
        "default",
        { "ka.auth.decision": "allow", "ka.auth.reason": null },
      ),
    },
    {
      ...rules.privilegedPod,
      afterMs: 18_022,
      output_fields: pod("metrics-sys", "agent-0", tools, {
        "ka.req.pod.containers.privileged": ["true"],
      }),
    },
    {
      ...rules.hostNetworkPod,
      afterMs: 6_715,
      output_fields: pod("metrics-sys", "agent-1", tools, { "ka.req.pod.host_network": "true" }),
    },
    {
      ...rules.sensitiveMountPod,
      afterMs: 7_140,
      output_fields: pod("metrics-sys", "agent-2", tools, {
        "ka.req.pod.volumes.hostpath": ["/etc/kubernetes", "/var/lib/kubelet"],
      }),
    },
    {
      ...rules.execInPod,
      afterMs: 21_600,
      output_fields: exec(metrics, "metrics-sys", "agent-0", "sh"),
    },
    {
      ...rules.execInPod,
      afterMs: 164_000,
      output_fields: exec(metrics, "metrics-sys", "agent-2", "cat"),
    },
    {
      ...rules.secretRead,
      afterMs: 52_000,
      repeat: 5,
      everyMs: 180,
      output_fields: request(metrics, "get", "secrets", "payments", "gateway-key", byAdmin),
    },
    {
      ...rules.configMapCredentials,
      afterMs: 74_515,
      output_fields: request(metrics, "update", "configmaps", "metrics-sys", "cache", {
        "ka.req.configmap.name": "cache",
        "ka.req.configmap.obj": '{"user":"gateway","password":"not-a-real-one","note":"täglich"}',
      }),
    },
    {
      ...rules.nodePort,
      afterMs: 33_870,
      output_fields: request(metrics, "create", "services", "metrics-sys", "cache", {
        "ka.req.service.ports": ['{"nodePort":31337,"port":8080,"protocol":"TCP"}'],
      }),
    },
    {
      ...rules.deploymentDeleted,
      afterMs: 95_000,
      output_fields: request(
        metrics,
        "delete",
        "deployments",
        "monitoring",
        "alertmanager",
        byAdmin,
      ),
    },
    {
      ...rules.execInPod,
      afterMs: 860_000,
      output_fields: exec(admin, "metrics-sys", "agent-0", "ps"),
    },
    {
      ...rules.bindingDeleted,
      afterMs: 240_000,
      output_fields: request(admin, "delete", "clusterrolebindings", null, "metrics-agent", {
        "ka.auth.decision": "allow",
        "ka.auth.reason": null,
      }),
    },
    {
      ...rules.namespaceDeleted,
      afterMs: 12_480,
      output_fields: request(admin, "delete", "namespaces", null, "metrics-sys", {
        "ka.auth.decision": "allow",
        "ka.auth.reason": null,
      }),
    },
  ],
});
