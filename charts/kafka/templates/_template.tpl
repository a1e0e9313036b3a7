{{/*
Strimzi's template of pods and containers, as YAML, with what global.pod and the component's own values add. The user of the
images is in group 0, which owns the volumes.
Arguments: the context, labels that such pods and no others have, their affinity, the component's `pod`, names of containers.
*/}}
{{- define "kafka.template" -}}
{{- $context := first . }}
{{- $containers := list }}
{{- range last . }}
{{- $containers = append $containers (include "common.container" $context | fromYaml | merge (dict "name" .)) }}
{{- end }}
{{- $security := dict "runAsNonRoot" true "fsGroup" 0 "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- $spec := dict "securityContext" $security "affinity" (index . 2) "containers" $containers }}
{{- with $context.Values.global.imagePullSecrets }}{{ $_ := set $spec "imagePullSecrets" . }}{{ end }}
{{- $pod := dict "metadata" (dict "labels" (index . 1)) "spec" $spec }}
{{- $pod = include "common.customized" (list $context $pod (index . 3)) | fromYaml }}
{{- range $label, $_ := index . 1 }}{{ $_ := unset $pod.metadata.labels $label }}{{ end }}
{{- $template := dict "pod" (merge (dict "metadata" $pod.metadata) (include "kafka.scheduling" $pod.spec | fromYaml)) }}
{{- range $pod.spec.containers }}{{ $_ := set $template .name (omit . "name") }}{{ end }}
{{- toYaml $template }}
{{- end }}

{{/*
A pod's spec as a template of Strimzi, which has no nodeSelector: an affinity to nodes says the same.
*/}}
{{- define "kafka.scheduling" -}}
{{- $affinity := .affinity | default dict }}
{{- with .nodeSelector }}
{{- $required := dig "nodeAffinity" "requiredDuringSchedulingIgnoredDuringExecution" dict $affinity }}
{{- $terms := $required.nodeSelectorTerms | default (list dict) }}
{{- range $key, $value := . }}
{{- range $term := $terms }}
{{- $expression := dict "key" $key "operator" "In" "values" (list $value) }}
{{- $_ := set $term "matchExpressions" (append ($term.matchExpressions | default list) $expression) }}
{{- end }}
{{- end }}
{{- $required = dict "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" $terms) }}
{{- $_ := set $affinity "nodeAffinity" (merge $required ($affinity.nodeAffinity | default dict)) }}
{{- end }}
{{- toYaml (merge (dict "affinity" $affinity) (omit . "containers" "nodeSelector")) }}
{{- end }}
