{{- define "px.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "px.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "px.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "px.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "px.operator" -}}
{{ include "px.fullname" . }}-operator
{{- end }}

{{- define "px.selector" -}}
app.kubernetes.io/name: peerexchange-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "px.labels" -}}
{{- with omit .Values.commonLabels "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/part-of" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{- toYaml . }}
{{ end }}
{{- include "px.selector" . }}
app.kubernetes.io/part-of: peerexchange
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* An image: list of the values of one, and the chart's context. */ -}}
{{- define "px.image" -}}
{{- $image := index . 0 }}{{ $top := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default $top.Chart.AppVersion $image.tag }}
{{- end }}
{{- end }}

{{- define "px.everywhere" -}}
{{- if has "*" .Values.namespaces }}yes{{ end }}
{{- end }}

{{- define "px.namespaces" -}}
{{- default (list .Release.Namespace) .Values.namespaces | uniq | toJson }}
{{- end }}

{{- /* The name of the first network: at most 40 characters and the name of a Service, as the definition asks for. */ -}}
{{- define "px.network" -}}
{{- $name := default .Release.Name .Values.network.name }}
{{- if or (gt (len $name) 40) (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name)) }}
{{- fail (printf "network.name is missing: the release's name, %s, is no name of a PeerNetwork, which begins with a letter, has a-z, 0-9 and - only and at most 40 characters" $name) }}
{{- end }}
{{- $name }}
{{- end }}

{{- /* Whether `helm test` can join the first network: it has no way to a JSON Web Token. */ -}}
{{- define "px.tested" -}}
{{- $access := default dict .Values.network.spec.access }}
{{- if and .Values.network.enabled (or (not $access) $access.tokens) }}yes{{ end }}
{{- end }}
