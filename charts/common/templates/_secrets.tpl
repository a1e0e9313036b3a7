{{/*
A Job that creates the Secrets of a release where they do not exist. It never changes them, and they outlive the release: they
are in no manifest. Nothing without arguments.
Arguments: the context, the Job's arguments as a list in YAML.
*/}}
{{- define "common.secrets" -}}
{{- if and (first .).Values.global.secrets.create (last . | fromYamlArray) }}
{{- $context := merge (dict "arguments" (last .)) (first .) }}
{{- include "common.workload" (list $context "common.secretsJob" dict) }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "common.secretsHook" (list $context -3) | nindent 2 }}
automountServiceAccountToken: false
---
# It may read no Secret. What is created has no name yet by which a rule could restrict it.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "common.secretsHook" (list $context -3) | nindent 2 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "common.secretsHook" (list $context -3) | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ include "common.secretsName" $context }}}
subjects: [{kind: ServiceAccount, name: {{ include "common.secretsName" $context }}, namespace: {{ $context.Release.Namespace }}}]
{{- if $context.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.secretsHook" (list $context -3) | nindent 2 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: {{ include "common.secretsName" $context }}}}
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "common.kubernetesApi" $context | nindent 4 }}
    {{- include "common.dns" $context | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The Job itself, whose `arguments` are in the context.
*/}}
{{- define "common.secretsJob" -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "common.secretsHook" (list . -2) | nindent 2 }}
spec:
  backoffLimit: 4
  activeDeadlineSeconds: 600
  template:
    metadata:
      labels: {{- include "common.selector" (include "common.secretsName" .) | nindent 8 }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ include "common.secretsName" . }}
      {{- include "common.pod" (list . 10001) | nindent 6 }}
      containers:
        - name: secrets
          {{- include "common.image" (list . .Values.global.secrets.image) | nindent 10 }}
          {{- include "common.container" . | nindent 10 }}
          args:
            - secrets
            {{- .arguments | nindent 12 }}
          resources:
            requests: {cpu: 10m, memory: 64Mi}
            limits: {memory: 128Mi}
          volumeMounts: [{name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]
      volumes:
        {{- include "common.token" . | nindent 8 }}
{{- end }}

{{/*
The metadata of what creates the Secrets. It exists while the hook runs; a failed one is kept for inspection. Other hooks, which
may need Secrets, have greater weights.
Arguments: the context, the weight: lower ones exist first.
*/}}
{{- define "common.secretsHook" -}}
name: {{ include "common.secretsName" (first .) }}
labels: {{- include "common.labels" (list (first .) (include "common.secretsName" (first .))) | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ last . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/*
The name of all of it: charts that are installed one by one share a namespace.
*/}}
{{- define "common.secretsName" -}}
{{ .Chart.Name }}-secrets
{{- end }}

{{/*
The volume with the account's token, for the one container that uses it: what the kubelet would mount into all of them.
*/}}
{{- define "common.token" -}}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
