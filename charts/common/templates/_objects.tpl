{{/*
A disruption budget: one pod of a component at a time may be evicted. One that is not ready serves nobody, and does not keep
a machine from being drained.
Arguments: the context, the component's name.
*/}}
{{- define "common.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ last . }}
  labels: {{- include "common.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "common.selector" (last .) | nindent 6 }}
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

{{/*
The command of such a pod, whose arguments are run again for three minutes until they succeed: network policies may not know
the pod yet.
*/}}
{{- define "common.repeat" -}}
[bash, -c, 'for ((left = 90; left; left--)); do "$@" && exit; sleep 2; done; exit 1', repeat]
{{- end }}
