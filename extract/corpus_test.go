package extract_test

// writers create archives of their working directory, at $OUT. None of them is GitLab
// Runner.
func writers() map[string]string {
	all := tarWriters()
	for name, script := range zipWriters() {
		all[name] = script
	}
	for name, script := range zip64Writers() {
		all[name] = script
	}
	return all
}

// python runs a program that may write to out, or to a Pipe, and add all files.
func python(how string) string {
	return `python3 - <<'END'
import os, sys, tarfile, zipfile
out = os.environ["OUT"]
class Pipe:
    def __init__(self): self.f = open(out, "wb")
    def write(self, b): return self.f.write(b)
    def flush(self): self.f.flush()
    def close(self): self.f.close()
def add(z, **more):
    for root, dirs, files in sorted(os.walk(".")):
        for name in sorted(dirs + files):
            path = os.path.join(root, name)
            if not os.path.islink(path): z.write(path, **more)
` + how + "\nEND"
}

// java runs a program that has an open stream to $OUT.
func java(how string) string {
	return `cat >$OUT.java <<'END'
import java.io.*;
import java.util.zip.*;
class Main {
    public static void main(String[] args) throws Exception {
        try (var z = new ZipOutputStream(new FileOutputStream(System.getenv("OUT")))) {
` + how + `
        }
    }
}
END
java $OUT.java`
}

func zipWriters() map[string]string {
	return map[string]string{
		"infozip.zip":            "zip -qr $OUT .",
		"infozip-stored.zip":     "zip -qr0 $OUT .",
		"infozip-best.zip":       "zip -qr9 $OUT .",
		"infozip-bzip2.zip":      "zip -qr -Z bzip2 $OUT .",
		"infozip-links.zip":      "zip -qry $OUT .",
		"infozip-descriptor.zip": "zip -qr -fd $OUT .",
		"infozip-stream.zip":     "zip -qr - . >$OUT",
		"infozip-pipe.zip":       "zip -qr - . | cat >$OUT",
		"infozip-no-dirs.zip":    "zip -qrD $OUT .",
		"infozip-no-extra.zip":   "zip -qrX $OUT .",
		"infozip-dos.zip":        "zip -qrk $OUT plain",
		"infozip-comment.zip":    "zip -qr $OUT . && echo a comment | zip -qz $OUT",
		"infozip-dash.zip":       "cat noise | zip -q - - >$OUT",
		"infozip-dash-pipe.zip":  "cat noise | zip -q - - | cat >$OUT",
		"infozip-dash-file.zip":  "cat noise | zip -q $OUT -",
		"infozip-prefix.zip":     "zip -qr $OUT.tmp . && { echo '#!/bin/sh'; cat $OUT.tmp; } >$OUT && zip -qA $OUT",
		"infozip-prefix-raw.zip": "zip -qr $OUT.tmp . && { echo '#!/bin/sh'; cat $OUT.tmp; } >$OUT",
		"infozip-trailing.zip":   "zip -qr $OUT . && echo something >>$OUT",
		"7z-copy.zip":            "7z a -tzip -mm=Copy $OUT .",
		"7z-deflate.zip":         "7z a -tzip -mm=Deflate -mx=9 $OUT .",
		"7z-deflate64.zip":       "7z a -tzip -mm=Deflate64 $OUT .",
		"7z-bzip2.zip":           "7z a -tzip -mm=BZip2 $OUT .",
		"7z-lzma.zip":            "7z a -tzip -mm=LZMA $OUT .",
		"7z-utf8.zip":            "7z a -tzip -mcu=on $OUT .",
		"bsdtar.zip":             "bsdtar -c -f $OUT --format zip .",
		"bsdtar-stored.zip":      "bsdtar -c -f $OUT --format zip --options zip:compression=store .",
		"bsdtar-pipe.zip":        "bsdtar -c --format zip . | cat >$OUT",
		"python-stored.zip":      python(`with zipfile.ZipFile(out, "w") as z: add(z)`),
		"python-deflated.zip":    python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z: add(z)`),
		"python-bzip2.zip":       python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as z: add(z)`),
		"python-lzma.zip":        python(`with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as z: add(z)`),
		"python-pipe.zip":        python(`with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as z: add(z)`),
		"jar.zip":                "jar -c -f $OUT .",
		"jar-stored.zip":         "jar -c -0 -f $OUT .",
		"jar-pipe.zip":           "jar -c . >$OUT",
		"java.zip": java(`            z.putNextEntry(new ZipEntry("d/"));
            z.putNextEntry(new ZipEntry("d/deflated.txt"));
            z.write("deflated".repeat(999).getBytes());
            var e = new ZipEntry("stored.txt");
            e.setMethod(ZipEntry.STORED);
            e.setSize(6);
            e.setCrc(0x2f5f3d12L);
            var crc = new CRC32();
            crc.update("stored".getBytes());
            e.setCrc(crc.getValue());
            z.putNextEntry(e);
            z.write("stored".getBytes());`),
	}
}

// zip64Writers write zip64 in different ways: records, fields, eight-byte descriptors. The
// number of entries makes the record necessary; many of them are the same directory,
// repeated.
func zip64Writers() map[string]string {
	return map[string]string{
		"infozip-zip64.zip":      "zip -qr -fz $OUT .",
		"infozip-zip64-dash.zip": "cat noise | zip -q -fz $OUT - plain/a.txt",
		"7z-zip64.zip":           "cat noise | 7z a -tzip -sinoise $OUT",
		"bsdtar-zip64.zip":       "bsdtar -c -f $OUT --format zip --options zip:zip64 .",
		"bsdtar-zip64-pipe.zip":  "bsdtar -c --format zip --options zip:zip64 . | cat >$OUT",
		"python-zip64.zip": python(`with zipfile.ZipFile(out, "w") as z:
    with z.open("forced.txt", "w", force_zip64=True) as f: f.write(b"forced")`),
		"python-zip64-pipe.zip": python(`with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as z:
    with z.open("forced.txt", "w", force_zip64=True) as f: f.write(b"forced" * 999)`),
		"python-zip64-many.zip": python(`import warnings
warnings.simplefilter("ignore")
with zipfile.ZipFile(out, "w") as z:
    for i in range(66000): z.writestr("d/", b"")
    z.writestr("d/last", b"last")`),
		"java-zip64-many.zip": java(`            for (int i = 0; i < 66000; i++)
                z.putNextEntry(new ZipEntry("d" + "/".repeat(1 + i % 257) + "./".repeat(i / 257)));
            z.putNextEntry(new ZipEntry("d/last"));
            z.write("last".getBytes());`),
	}
}

func tarWriters() map[string]string {
	tarfile := func(format string) string {
		return python("with tarfile.open(out, 'w', format=tarfile." + format + "_FORMAT) as t: t.add('plain')")
	}
	gnu := func(how string) string { return "tar -c -f $OUT " + how + " ." }
	return map[string]string{
		"gnu.tar":             gnu("--format gnu"),
		"gnu-old.tar":         gnu("--format oldgnu"),
		"gnu-v7.tar":          "tar -c -f $OUT --format v7 plain",
		"gnu-ustar.tar":       "tar -c -f $OUT --format ustar plain",
		"gnu-pax.tar":         gnu("--format pax --xattrs"),
		"gnu-label.tar":       gnu("--format gnu -V label"),
		"gnu-sparse.tar":      gnu("--format gnu -S"),
		"gnu-sparse-old.tar":  gnu("--format oldgnu -S"),
		"gnu-sparse-0.0.tar":  gnu("--format pax -S --sparse-version 0.0"),
		"gnu-sparse-0.1.tar":  gnu("--format pax -S --sparse-version 0.1"),
		"gnu-sparse-1.0.tar":  gnu("--format pax -S --sparse-version 1.0"),
		"gnu-incremental.tar": gnu("--format gnu -g $OUT.snar"),
		"gnu-copies.tar":      gnu("--hard-dereference"),
		"gnu-block.tar":       gnu("-b 1"),
		"gnu-absolute.tar":    "tar -c -f $OUT --transform 's,^,././/,' plain",
		"gnu-trailer.tar":     "tar -c -f $OUT plain && tar -c -f - deep >>$OUT && echo trailer >>$OUT",
		"gnu-empty.tar.gz":    "tar -c -z -f $OUT empty-dir",
		"python.tar":          tarfile("PAX"),
		"python-gnu.tar":      tarfile("GNU"),
		"python-ustar.tar":    tarfile("USTAR"),
		"bsdtar.tar":          "bsdtar -c -f $OUT .",
		"bsdtar-ustar.tar":    "bsdtar -c -f $OUT --format ustar plain",
		"bsdtar-pax.tar":      "bsdtar -c -f $OUT --format pax .",
		"bsdtar-gnu.tar":      "bsdtar -c -f $OUT --format gnutar .",
		"bsdtar.tar.gz":       "bsdtar -cz -f $OUT .",
		"bsdtar.tar.bz2":      "bsdtar -cj -f $OUT .",
		"bsdtar.tar.xz":       "bsdtar -cJ -f $OUT .",
		"bsdtar.tar.zst":      "bsdtar -c --zstd -f $OUT .",
		"bsdtar.tar.lz4":      "bsdtar -c --lz4 -f $OUT .",
		"bsdtar.7z":           "bsdtar -c -f $OUT --format 7zip .",
		"7z.7z":               "7z a -snl $OUT .",
		"7z-solid-max.7z":     "7z a -snl -mx=9 $OUT .",
		"7z-bzip2.7z":         "7z a -snl -m0=BZip2 $OUT .",
		"7z-copy.7z":          "7z a -snl -m0=Copy $OUT .",
		"7z-lzma.7z":          "7z a -snl -m0=LZMA $OUT .",
		"7z-deflate.7z":       "7z a -snl -m0=Deflate $OUT .",
		"7z-single.7z":        "7z a -snl -ms=off -mhc=off $OUT .",
		"7z-bcj2.7z":          "7z a -snl -mx=9 -ms=off $OUT program.exe plain",
		"7z-filters.7z":       "7z a -snl -m0=Delta:4 -m1=BCJ -m2=LZMA2 $OUT .",
		"xz.tar.xz":           "tar -c -f - . | xz -9 >$OUT",
		"xz-blocks.tar.xz":    "tar -c -f - . | xz -T2 --block-size=100000 >$OUT",
		"xz-x86.tar.xz":       "tar -c -f - . | xz --x86 --lzma2=dict=64MiB >$OUT",
		"xz.tar.lzma":         "tar -c -f - . | xz --format=lzma -9 >$OUT",
		"bsdtar.tar.lz":       "bsdtar -c --lzip -f $OUT .",
		"zstd-long.tar.zst":   "tar -c -f - . | zstd -q --long=26 >$OUT",
		"zstd-ultra.tar.zst":  "tar -c -f $OUT.tar . && zstd -q --ultra -22 $OUT.tar -o $OUT",
		"zstd-parts.tar.zst":  "tar -c -f $OUT.tar . && { printf '\\120\\052\\115\\030\\002\\000\\000\\000xx'; head -c 9999 $OUT.tar | zstd -q; tail -c +10000 $OUT.tar | zstd -q; } >$OUT",
		"lz4-best.tar.lz4":    "tar -c -f - . | lz4 -q -9 -BD -B7 >$OUT",
		"bzip2-parts.tar.bz2": "tar -c -f $OUT.tar . && { head -c 9999 $OUT.tar | bzip2; tail -c +10000 $OUT.tar | bzip2; } >$OUT",
	}
}
