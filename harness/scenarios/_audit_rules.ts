/**
 * The rules behind the bundled audit log scenario: names and priorities are those of the rules that
 * come with Falco's k8saudit plugin, the messages are ours.
 *
 * @module
 */
import type { Rule } from "./_rule.ts";

const tags: readonly string[] = ["k8s"];
const object = "user=%ka.user.name name=%ka.target.name ns=%ka.target.namespace";
const created = "user=%ka.user.name pod=%ka.resp.name ns=%ka.target.namespace " +
  "images=%ka.req.pod.containers.image";
const answered = `${object} resp=%ka.response.code reason=%ka.auth.reason`;

/** The rules by a short name of ours. */
export const auditRules = {
  anonymousAllowed: {
    rule: "Anonymous Request Allowed",
    priority: "warning",
    tags,
    output: "Anonymous request let through | verb=%ka.verb uri=%ka.uri reason=%ka.auth.reason",
  },
  disallowedUser: {
    rule: "Disallowed K8s User",
    priority: "warning",
    tags,
    output: "User who is not on the list | user=%ka.user.name verb=%ka.verb " +
      "target=%ka.target.name/%ka.target.resource uri=%ka.uri resp=%ka.response.code",
  },
  secretRead: {
    rule: "K8s Secret Get Successfully",
    priority: "error",
    tags,
    output: `Secret read | ${answered}`,
  },
  secretRefused: {
    rule: "K8s Secret Get Unsuccessfully Tried",
    priority: "warning",
    tags,
    output: `Secret refused | ${answered}`,
  },
  roleWithExec: {
    rule: "ClusterRole With Pod Exec Created",
    priority: "warning",
    tags,
    output: "Role that may exec into pods | user=%ka.user.name role=%ka.target.name " +
      "rules=%ka.req.role.rules",
  },
  clusterAdmin: {
    rule: "Attach to cluster-admin Role",
    priority: "warning",
    tags,
    output: "Binding to cluster-admin | user=%ka.user.name subjects=%ka.req.binding.subjects",
  },
  kubeServiceAccount: {
    rule: "Service Account Created in Kube Namespace",
    priority: "warning",
    tags,
    output: `Service account among the system's own | ${object}`,
  },
  disallowedNamespace: {
    rule: "Create Disallowed Namespace",
    priority: "warning",
    tags,
    output: "Namespace that is not on the list | user=%ka.user.name ns=%ka.target.name",
  },
  privilegedPod: {
    rule: "Create Privileged Pod",
    priority: "warning",
    tags,
    output: `Privileged pod | ${created}`,
  },
  hostNetworkPod: {
    rule: "Create HostNetwork Pod",
    priority: "warning",
    tags,
    output: `Pod in the network of its node | ${created}`,
  },
  sensitiveMountPod: {
    rule: "Create Sensitive Mount Pod",
    priority: "warning",
    tags,
    output: `Pod with a sensitive folder of its node | ${created} ` +
      "paths=%ka.req.pod.volumes.hostpath",
  },
  execInPod: {
    rule: "Attach/Exec Pod",
    priority: "notice",
    tags,
    output: `Command in a pod | ${object} action=%ka.target.subresource ` +
      "command=%ka.uri.param[command]",
  },
  nodePort: {
    rule: "Create NodePort Service",
    priority: "warning",
    tags,
    output: `Service open on every node | ${object} ports=%ka.req.service.ports`,
  },
  configMapCredentials: {
    rule: "Create/Modify Configmap With Private Credentials",
    priority: "warning",
    tags,
    output: "Credentials in a config map | user=%ka.user.name verb=%ka.verb " +
      "name=%ka.req.configmap.name config=%ka.req.configmap.obj",
  },
  serviceAccountCreated: {
    rule: "K8s Serviceaccount Created",
    priority: "informational",
    tags,
    output: `Service account created | ${answered}`,
  },
  deploymentDeleted: {
    rule: "K8s Deployment Deleted",
    priority: "informational",
    tags,
    output: `Deployment deleted | ${answered}`,
  },
  bindingDeleted: {
    rule: "K8s ClusterRoleBinding Deleted",
    priority: "informational",
    tags,
    output: `Cluster role binding deleted | ${answered}`,
  },
  namespaceDeleted: {
    rule: "K8s Namespace Deleted",
    priority: "informational",
    tags,
    output: `Namespace deleted | ${answered}`,
  },
} as const satisfies { readonly [name: string]: Rule };
