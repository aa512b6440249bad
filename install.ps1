# Installs artifetch on Windows from a directory on a web server that contains the output of
# `make release`, such as the address of a release with /downloads at its end:
#
#   powershell -ExecutionPolicy Bypass -File install.ps1 URL [VERSION] [DIRECTORY]
#
# It does the same as install.sh: it reads the same variables ARTIFETCH_URL, _VERSION, _DIR,
# _CHECKSUMS_SHA256, _SIGNER and _SIGNER_KEY, and has the same exit codes. It sends no token,
# and makes no request that isn't https. It needs Windows PowerShell 5.1 or later, and
# curl.exe, which Windows has had since 2018.
param([string]$Url = $env:ARTIFETCH_URL, [string]$Version = $env:ARTIFETCH_VERSION, [string]$Dir = $env:ARTIFETCH_DIR)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # Expand-Archive draws over everything

function Fail([int]$Code, [string]$Message) {
    [Console]::Error.WriteLine("install.ps1: $Message; nothing is installed")
    exit $Code
}

function Save-File([string]$Name) {
    curl.exe -sSfL --proto '=https' --retry 3 --connect-timeout 30 --speed-limit 1 --speed-time 60 -o "$work\$Name" "$Url/$Name"
    return ($LASTEXITCODE -eq 0)
}

function Confirm-Digest([string]$Name, [string]$Want, [string]$Whose) {
    $got = (Get-FileHash -Algorithm SHA256 -LiteralPath "$work\$Name").Hash
    if ($got -ne $Want) { Fail 7 "$Name has the SHA-256 $got, but $Whose says $Want" }
}

# A 32-bit PowerShell has both variables.
$arch = "$env:PROCESSOR_ARCHITEW6432$env:PROCESSOR_ARCHITECTURE".ToLowerInvariant() -replace '^(amd64|arm64).+$', '$1'
$Url = $Url.TrimEnd('/')
$pin = $env:ARTIFETCH_CHECKSUMS_SHA256
$signer = $env:ARTIFETCH_SIGNER
if (-not $signer) { $signer = 'https://gitlab.com/artifetch/artifetch' }
if (-not $Dir) { $Dir = "$env:LOCALAPPDATA\Programs\artifetch" }
if ($Url -notmatch '^https://[^\s"*?\[\]{}]+$') { Fail 2 'URL must be an https address without wildcards: the directory that contains checksums.txt' }
if ($Version -notmatch '^[0-9A-Za-z.+_-]*$') { Fail 2 'VERSION must be one such as v1.2.3' }
if ($pin -and $pin -notmatch '^[0-9a-f]{64}$') { Fail 2 'ARTIFETCH_CHECKSUMS_SHA256 must be 64 digits, 0 to 9 and a to f' }
if ($arch -notmatch '^(amd64|arm64)$') { Fail 2 "artifetch isn't built for windows/$arch" }
if (-not (Get-Command curl.exe -ErrorAction SilentlyContinue)) { Fail 2 'there is no curl.exe; install it' }

$id = [Guid]::NewGuid().ToString()
$work = Join-Path ([IO.Path]::GetTempPath()) "artifetch-$id"
$new = "$Dir\artifetch-$id.new"
try {
    New-Item -ItemType Directory -Path $work | Out-Null
    if (-not (Save-File 'checksums.txt')) { Fail 6 "cannot download $Url/checksums.txt" }
    if ($pin) { Confirm-Digest 'checksums.txt' $pin 'ARTIFETCH_CHECKSUMS_SHA256' }
    $pattern = "^([0-9a-f]{64}) [ *](artifetch_([0-9A-Za-z.+_-]+)_windows_$arch)\.zip`$"
    $lines = @(Get-Content -LiteralPath "$work\checksums.txt" | Where-Object { $_ -cmatch $pattern -and (-not $Version -or $Matches[3] -ceq $Version) })
    if ($lines.Count -gt 1) { Fail 2 "$Url has several versions; name one" }
    if ($lines.Count -eq 0) { Fail 7 "checksums.txt of $Url has no line for version $Version on windows/$arch" }
    $sum = $lines[0] -replace $pattern, '$1'
    $release = $lines[0] -replace $pattern, '$2'
    $tag = $lines[0] -replace $pattern, '$3'

    if ($signer -ne 'none' -and (Get-Command cosign -ErrorAction SilentlyContinue)) {
        $issuer = $signer -replace '^(https://[^/]+).*$', '$1'
        $who = @('--certificate-identity', "$signer//.gitlab-ci.yml@refs/tags/$tag", '--certificate-oidc-issuer', $issuer)
        if ($env:ARTIFETCH_SIGNER_KEY) {
            $signer = $env:ARTIFETCH_SIGNER_KEY
            Set-Content -LiteralPath "$work\root" -Encoding ascii -Value '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
            $who = @('--key', $signer, '--insecure-ignore-tlog', '--trusted-root', "$work\root")
        }
        if (Save-File 'checksums.txt.sigstore.json') {
            cosign verify-blob --new-bundle-format --bundle "$work\checksums.txt.sigstore.json" @who "$work\checksums.txt"
            if ($LASTEXITCODE -ne 0) { Fail 7 "checksums.txt isn't signed by $signer" }
        } elseif (-not $pin) {
            Fail 7 "$Url has no checksums.txt.sigstore.json; set ARTIFETCH_CHECKSUMS_SHA256, or ARTIFETCH_SIGNER=none if it isn't signed"
        }
    }

    if (-not (Save-File "$release.zip")) { Fail 6 "cannot download $Url/$release.zip" }
    Confirm-Digest "$release.zip" $sum 'checksums.txt'
    Expand-Archive -LiteralPath "$work\$release.zip" -DestinationPath $work
    New-Item -ItemType Directory -Force -Path $Dir | Out-Null
    Copy-Item -LiteralPath "$work\$release\artifetch.exe" -Destination $new
    Move-Item -Force -LiteralPath $new -Destination "$Dir\artifetch.exe"
    Write-Output "$release is installed as $Dir\artifetch.exe; add $Dir to PATH"
} catch {
    Fail 9 ("$_".TrimEnd('.'))
} finally {
    Remove-Item -Recurse -Force -LiteralPath $work, $new -ErrorAction SilentlyContinue
}
