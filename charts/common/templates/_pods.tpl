{{/*
The image of a container, by its digest if there is one, and its pull policy.
Arguments: the context, the `image` of its values.
*/}}
{{- define "common.image" -}}
{{- $context := first . }}
{{- $image := last . -}}
{{- $version := printf ":%s" ($image.tag | default $context.Values.global.imageTag | default $context.Chart.AppVersion) }}
{{- with $image.digest }}{{ $version = printf "@%s" . }}{{ end -}}
image: {{ printf "%s%s%s" $context.Values.global.imageRegistry $image.repository $version | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/*
The security of every pod: no root, the runtime's default system calls, volumes owned by its user (changed only once, which
takes minutes on a large volume), no token of the cluster.
Arguments: the context, the user ID of its image.
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
The security of every container: no privileges, and a read-only image.
*/}}
{{- define "common.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
Lets a pod that can start on another machine do so soon after its own has stopped answering.
*/}}
{{- define "common.tolerations" -}}
tolerations:
  {{- range list "not-ready" "unreachable" }}
  - key: node.kubernetes.io/{{ . }}
    operator: Exists
    effect: NoExecute
    tolerationSeconds: {{ int $.Values.global.tolerationSeconds }}
  {{- end }}
{{- end }}

{{/*
Spreads the pods of a component over machines, if there are enough.
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
A StatefulSet's claim for its volume `data`. Claims outlive the release.
Arguments: the component's name, the `storage` of its values.
*/}}
{{- define "common.claim" -}}
- metadata:
    name: data
    labels: {{- include "common.selector" (first .) | nindent 6 }}
    {{- with (last .).annotations }}
    annotations: {{- toYaml . | nindent 6 }}
    {{- end }}
  spec: {{- include "common.claimSpec" (last .) | nindent 4 }}
{{- end }}

{{/*
What a claim asks for.
Argument: the `storage` of a component's values.
*/}}
{{- define "common.claimSpec" -}}
accessModes: [ReadWriteOnce]
{{- with .class }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests: {storage: {{ .size }}}
{{- end }}

{{/*
The environment variable with the options of a server's JVM; nothing without options.
*/}}
{{- define "common.javaOptions" -}}
{{- with .Values.global.javaOptions -}}
- {name: JDK_JAVA_OPTIONS, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{/*
The volume for a container's /tmp. Who fills it is evicted, and not a neighbour that needs the machine's disk.
*/}}
{{- define "common.tmp" -}}
- {name: tmp, emptyDir: {sizeLimit: 1Gi}}
{{- end }}
