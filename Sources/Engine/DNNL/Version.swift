import CDNNL

/// The oneDNN library that runs.
public enum DNNL {
  /// Version and source revision, such as `oneDNN 2.6.0 (52b5f107dd9c…)`.
  public static var version: String {
    guard let version = unsafe dnnl_version() else { return "oneDNN" }
    let (major, minor, patch) = unsafe (version.pointee.major, version.pointee.minor, version.pointee.patch)
    let revision = unsafe version.pointee.hash.map { unsafe String(cString: $0) }
    return "oneDNN \(major).\(minor).\(patch)" + (revision.map { " (\($0))" } ?? "")
  }
}
