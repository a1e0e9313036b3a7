{{/*
The image of a container, and when it is pulled.
Arguments: the context, the `image` of its values.
*/}}
{{- define "common.image" -}}
{{- $context := first . }}
{{- $image := last . -}}
image: {{ printf "%s%s:%s" $context.Values.global.imageRegistry $image.repository ($image.tag | default $context.Chart.AppVersion) | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/*
What every pod has: no root, no system calls beyond the runtime's usual, its volumes its user's (made so once: that takes
minutes on a large one), no token of the cluster.
Arguments: the context, the number of the user that its image is made for.
*/}}
{{- define "common.pod" -}}
{{- $context := first . -}}
{{- with $context.Values.global.imagePullSecrets -}}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{ end -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ last . }}
  runAsGroup: {{ last . }}
  fsGroup: {{ last . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/*
What every container has: no privileges, and no file of its image that it could change.
*/}}
{{- define "common.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
Pods of one component on different machines, where there are enough of them.
Argument: the component's name.
*/}}
{{- define "common.apart" -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{- include "common.selector" . | nindent 14 }}
{{- end }}

{{/*
One claim of a StatefulSet for its volume `data`. Claims stay when the release goes.
Arguments: the component's name, the `storage` of its values.
*/}}
{{- define "common.claim" -}}
{{- $storage := last . -}}
- metadata:
    name: data
    labels: {{- include "common.selector" (first .) | nindent 6 }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with $storage.class }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests: {storage: {{ $storage.size }}}
{{- end }}
