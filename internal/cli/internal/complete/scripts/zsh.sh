#compdef artifetch
# zsh completion of artifetch: artifetch completion zsh >"${fpath[1]}/_artifetch",
# or, behind compinit, source <(artifetch completion zsh)
_artifetch() {
	local line files= tab=$'\t' ret=1
	local -a names described
	for line in "${(@f)$(artifetch __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
		if [[ $line == :files ]]; then
			files=yes
		elif [[ -n $line ]]; then
			names+=("${line%%$tab*}")
			described+=("${${line/$tab/  }}")
		fi
	done
	(( $#names )) && compadd -l -d described -a names && ret=0
	[[ -n $files ]] && _files && ret=0
	return ret
}
if [[ $funcstack[1] == _artifetch ]]; then
	_artifetch "$@"
else
	compdef _artifetch artifetch
fi
