import Corpora
import Foundation
import Host

/// `croissant.json`: the data set for machines, in MLCommons Croissant 1.0 (JSON-LD).
/// Source: docs.mlcommons.org/croissant/docs/croissant-spec.html.
struct Croissant {
  private let d: ExportDescription

  init(_ description: ExportDescription) { d = description }

  /// The file. Checksums of what it names are taken from `folder`.
  func document(recordsSHA256: String, in folder: String) throws(InputError) -> Data {
    var fields: [String: JSONValue] = [
      "@context": Croissant.context, "@type": .string("sc:Dataset"), "conformsTo": .string("http://mlcommons.org/croissant/1.0"),
      "name": .string(d.set.name), "alternateName": .string(d.title), "description": .string(d.summary),
      "license": .string(d.terms.licenseURL), "version": .string(d.terms.version),
      "keywords": .array(["x-ray", "detector", "light source"].map { .string($0) }),
      "distribution": .array([table(recordsSHA256)] + (try distribution(folder))), "recordSet": .array([records]),
    ]
    // What only the publisher knows is written when it was told.
    fields["datePublished"] = d.terms.date.map { .string($0) }
    fields["citeAs"] = d.terms.citation.map { .string($0) }
    fields["url"] = d.terms.url.map { .string($0) }
    fields["creator"] = d.terms.creator.map { .object(["@type": .string("sc:Organization"), "name": .string($0)]) }
    return try CanonicalJSON.data(JSONValue.object(fields))
  }

  private static let tableID = "records.csv"

  private func table(_ sha256: String) -> JSONValue {
    fileObject(Croissant.tableID, "text/csv", sha256, "one line a picture: file, place, provenance and labels")
  }

  private func fileObject(_ path: String, _ format: String, _ sha256: String, _ description: String) -> JSONValue {
    .object([
      "@type": .string("cr:FileObject"), "@id": .string(path), "name": .string(path), "description": .string(description),
      "contentUrl": .string(path), "encodingFormat": .string(format), "sha256": .string(sha256),
    ])
  }

  private func fileSet(_ id: String, _ format: String, _ includes: String, within archives: [String], _ description: String) -> JSONValue {
    var fields: [String: JSONValue] = [
      "@type": .string("cr:FileSet"), "@id": .string(id), "name": .string(id), "description": .string(description),
      "encodingFormat": .string(format), "includes": .string(includes),
    ]
    if !archives.isEmpty { fields["containedIn"] = .array(archives.map { .object(["@id": .string($0)]) }) }
    return .object(fields)
  }

  private func distribution(_ folder: String) throws(InputError) -> [JSONValue] {
    func objects(_ format: String) throws(InputError) -> [JSONValue] {
      try d.files.map { file throws(InputError) in
        fileObject(file.path, format, try Checksum.sha256(file: "\(folder)/\(file.path)"), "\(file.places.count) pictures of \(file.split.rawValue)")
      }
    }
    switch d.format {
    case .webdataset:
      let archives = d.files.map(\.path)
      return try objects("application/x-tar") + [
        fileSet("values", "application/octet-stream", "*.npy", within: archives, "NPY arrays: values and, as .weight.npy, weights"),
        fileSet("previews", "image/png", "*.png", within: archives, "8-bit previews"),
        fileSet("provenance", "application/json", "*.json", within: archives, "records as JSON"),
      ]
    case .imagefolder:
      return [fileSet("pictures", "image/png", "*/**/*.png", within: [], "8-bit pictures, a folder for each split and class")]
    case .nexus: return try objects("application/x-hdf5")
    }
  }

  private var records: JSONValue {
    let labels = d.set.corpus.labels.map { (name: "label.\($0)", type: "sc:Text", meaning: "class of label \($0); empty where the source has none") }
    return .object([
      "@type": .string("cr:RecordSet"), "@id": .string("records"), "name": .string("records"),
      "description": .string("one record a picture"), "key": .object(["@id": .string("records/id")]),
      "field": .array(
        (ExportSet.columns + labels).map { column in
          .object([
            "@type": .string("cr:Field"), "@id": .string("records/\(column.name)"), "name": .string("records/\(column.name)"),
            "description": .string(column.meaning), "dataType": .string(column.type),
            "source": .object([
              "fileObject": .object(["@id": .string(Croissant.tableID)]), "extract": .object(["column": .string(column.name)]),
            ]),
          ])
        }),
    ])
  }

  /// The specification's own, which validators compare key by key.
  private static let context: JSONValue = {
    var fields: [String: JSONValue] = [
      "@language": .string("en"), "@vocab": .string("https://schema.org/"), "cr": .string("http://mlcommons.org/croissant/"),
      "rai": .string("http://mlcommons.org/croissant/RAI/"), "dct": .string("http://purl.org/dc/terms/"), "sc": .string("https://schema.org/"),
      "conformsTo": .string("dct:conformsTo"), "data": .object(["@id": .string("cr:data"), "@type": .string("@json")]),
      "dataType": .object(["@id": .string("cr:dataType"), "@type": .string("@vocab")]),
      "examples": .object(["@id": .string("cr:examples"), "@type": .string("@json")]),
    ]
    let own = [
      "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
      "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated", "replace",
      "samplingRate", "separator", "source", "subField", "transform",
    ]
    for name in own { fields[name] = .string("cr:\(name)") }
    return .object(fields)
  }()
}
