import Host

/// `manifest.json`: what a corpus holds, from what, by what.
public struct CorpusManifest: Codable, Hashable, Sendable {
  public static let format = "psimagenet-corpus-1"
  public static let toolVersion = "PSImageNet 0.1"

  public var format: String
  public var tool: String
  public var name: String
  /// SHA-256 of `recipe.yaml`.
  public var recipeSHA256: String
  public var height: Int
  public var width: Int
  public var splitBy: SplitRule.Unit
  /// Pictures a split.
  public var counts: [Split: Int]
  /// Label -> class -> split -> pictures. A picture whose source has no such label counts nowhere.
  public var labels: [String: [String: [Split: Int]]]
  public var sources: [Source]
  public var shards: [Shard]
  public var geometries: [String: String]
  public var recordsSHA256: String
  /// SHA-256 of `taxonomy.csv`.
  public var taxonomySHA256: String
  /// What a reader of scores should know: even sizes, splits below run level, …
  public var warnings: [String]

  public struct Source: Codable, Hashable, Sendable {
    public var name: String
    public var detector: String
    public var unit: String
    public var pictures: Int
    /// The steps from raw counts to value, in order.
    public var transforms: [String]
    public var calibration: String
    public var files: [File]
    /// Why events gave no picture: reason -> events (or pictures, for coverage).
    public var dropped: [String: Int]
    /// What the containers passed over: reason -> count.
    public var skipped: [String: Int]
  }

  public struct File: Codable, Hashable, Sendable {
    public var name: String
    public var bytes: Int
    /// With its kind: `xxh128:` as `xxh128sum` prints it, of several parts that of their checksums in a row.
    public var checksum: String
    public var events: Int
    /// The streams and chunks of a run, where it has several.
    public var parts: [String]?
  }

  public struct Shard: Codable, Hashable, Sendable {
    public var file: String
    public var split: Split
    public var pictures: Int
    public var bytes: Int
    public var sha256: String
  }

  /// The classes of each label, sorted.
  public var classes: [String: [String]] { labels.mapValues { $0.keys.sorted() } }
}

extension CorpusManifest.File {
  /// Versions before 2026-11-21 wrote SHA-256, without its name in the value.
  public init(from decoder: any Decoder) throws {
    enum OldKey: String, CodingKey { case sha256 }
    let box = try decoder.container(keyedBy: CodingKeys.self), old = try decoder.container(keyedBy: OldKey.self)
    let sha256 = try old.decodeIfPresent(String.self, forKey: .sha256).map { "sha256:\($0)" }
    self.init(
      name: try box.decode(String.self, forKey: .name), bytes: try box.decode(Int.self, forKey: .bytes),
      checksum: try sha256 ?? box.decode(String.self, forKey: .checksum), events: try box.decode(Int.self, forKey: .events),
      parts: try box.decodeIfPresent([String].self, forKey: .parts))
  }
}
