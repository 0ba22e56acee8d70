import Host
import Testing

@Test(arguments: [
  ("a/b.h5", "a", "b.h5"), ("b.h5", "", "b.h5"), ("/b.h5", "/", "b.h5"), ("a/b/", "a", "b"), ("x", "", "x"), ("/x", "/", "x"), ("x/y", "x", "y"),
  ("/", "/", "/"), ("", "", ""), ("a//b", "a", "b"), ("../x", "..", "x"),
]) func aPathHasAFolderAndAName(_ path: String, _ folder: String, _ name: String) {
  #expect(path.folderOfPath == folder && path.nameInPath == name)
}
