{{/*
A disruption budget: one pod of a component at a time may be evicted.
Arguments: the context, the component's name, the budget's name.
*/}}
{{- define "common.disruptionBudget" -}}
{{- $component := index . 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ last . }}
  labels: {{- include "common.labels" (list (first .) $component) | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "common.selector" $component | nindent 6 }}
{{- end }}

{{/*
The metadata of a pod that `helm test` runs. A failed pod is kept for inspection.
Arguments: the context, the name of what it tests.
*/}}
{{- define "common.test" -}}
name: {{ last . }}-test
labels: {{- include "common.labels" (list (first .) "helm-test") | nindent 2 }}
annotations:
  helm.sh/hook: test
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
