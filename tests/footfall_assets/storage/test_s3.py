"""What only a bucket has: an address, pages, uploads in parts, local copies."""

import boto3
import pytest
from moto import mock_aws

from footfall_assets.contracts.errors import PermanentFailure, UserMistake
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage import open_lake
from footfall_assets.storage.lake import FolderLake, ObjectMissing
from footfall_assets.storage.s3 import S3Lake, parse_address

pytestmark = pytest.mark.usefixtures("credentials")


@pytest.fixture
def bucket(tmp_path):
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="a-lake")
        yield client, S3Lake.from_address("s3://a-lake/root", cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://a-lake", ("a-lake", "")),
        ("s3://a-lake/", ("a-lake", "")),
        ("s3://a-lake/root", ("a-lake", "root")),
        ("s3://a-lake/root/", ("a-lake", "root")),
        ("s3://a.lake.1/tenant=one/lake", ("a.lake.1", "tenant=one/lake")),
    ],
)
def test_an_address_names_bucket_and_prefix(address, expected):
    assert parse_address(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "s3://",
        "s3:///root",
        "s3://ab",
        "s3://A-Lake/root",
        "s3://a_lake/root",
        "s3://-lake",
        "s3://lake-",
        "s3://a..lake",
        "s3://192.168.1.1/root",
        "s3://" + "a" * 64,
        "s3://a-lake/../root",
        "s3://a-lake//root",
        "s3://a-lake/root//",
        "s3://a-lake/ro ot",
        "s3://a-lake/root\n",
        "s3://a-lake\n/root",
        "s3://user:secret@a-lake/root",
        "http://a-lake/root",
        "/a-lake/root",
    ],
)
def test_any_other_address_is_a_mistake_of_the_caller(address, tmp_path):
    with pytest.raises(UserMistake) as caught:
        S3Lake.from_address(address, cache=tmp_path)
    assert "secret" not in str(caught.value)


def test_the_settings_choose_between_folder_and_bucket(tmp_path):
    assert isinstance(open_lake(PlatformSettings(home=tmp_path)), FolderLake)
    assert repr(open_lake(PlatformSettings(home=tmp_path, lake="s3://a-lake/x"))) == "S3Lake('s3://a-lake/x/')"


def test_objects_lie_below_the_prefix_and_what_lies_outside_is_not_seen(bucket):
    client, lake = bucket
    client.put_object(Bucket="a-lake", Key="rootless/a/x", Body=b"other")
    client.put_object(Bucket="a-lake", Key="a/x", Body=b"other")
    lake.write("a/b", b"mine")
    assert client.get_object(Bucket="a-lake", Key="root/a/b")["Body"].read() == b"mine"
    assert lake.list_keys("a") == ["a/b"]
    with pytest.raises(ObjectMissing):
        lake.read("a/x")


def test_names_that_cannot_be_opened_are_listed_so_that_they_are_counted(bucket):
    client, lake = bucket
    names = ["landing/ok.tar", "landing/../../etc/passwd", "landing/ä b.tar", "landing/.hidden", "landing/marker/"]
    for name in names:
        client.put_object(Bucket="a-lake", Key=f"root/{name}", Body=b"1")
    assert lake.list_keys("landing") == sorted(names)


def test_more_keys_than_a_page_holds_are_all_listed(bucket):
    client, lake = bucket
    keys = [f"many/{number:04d}" for number in range(1050)]
    for key in keys:
        client.put_object(Bucket="a-lake", Key=f"root/{key}", Body=b"")
    assert lake.list_keys("many") == keys


def test_a_missing_bucket_is_not_an_empty_lake(bucket, tmp_path):
    lake = S3Lake.from_address("s3://another-lake", cache=tmp_path)
    for call in (lambda: lake.list_keys("a"), lambda: lake.read("a"), lambda: lake.write("a", b"1")):
        with pytest.raises(PermanentFailure, match="bucket does not exist"):
            call()


def test_an_unfinished_upload_is_invisible(bucket):
    client, lake = bucket
    upload = client.create_multipart_upload(Bucket="a-lake", Key="root/a/big")["UploadId"]
    client.upload_part(Bucket="a-lake", Key="root/a/big", UploadId=upload, PartNumber=1, Body=b"x" * 5 * 1024**2)
    assert lake.list_keys("a") == []
    assert not lake.exists("a/big")


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(bucket, tmp_path):
    client, lake = bucket
    data = bytes(range(256)) * (40 * 1024)
    (tmp_path / "big").write_bytes(data)
    lake.upload(tmp_path / "big", "a/big.bin")
    assert client.head_object(Bucket="a-lake", Key="root/a/big.bin")["ETag"].endswith('-2"')
    assert lake.local_path("a/big.bin").read_bytes() == data


def test_a_local_copy_is_fetched_once_and_again_when_the_object_changes(bucket, monkeypatch):
    client, lake = bucket
    lake.write("a/part.parquet", b"first")
    copy = lake.local_path("a/part.parquet")
    assert copy.suffix == ".parquet"
    fetched = []
    real = lake._client.get_object
    monkeypatch.setattr(lake._client, "get_object", lambda **wanted: fetched.append(wanted["Key"]) or real(**wanted))
    assert lake.local_path("a/part.parquet") == copy
    assert fetched == []
    client.put_object(Bucket="a-lake", Key="root/a/part.parquet", Body=b"other")
    assert lake.local_path("a/part.parquet").read_bytes() == b"other"
    assert copy.read_bytes() == b"first"
    assert fetched == ["root/a/part.parquet"]


def test_a_copy_cut_short_is_fetched_again(bucket):
    _, lake = bucket
    lake.write("a/part", b"whole")
    lake.local_path("a/part").write_bytes(b"who")
    assert lake.local_path("a/part").read_bytes() == b"whole"


@pytest.mark.parametrize("leave", ["delete", "move", "deleted by others"])
def test_local_copies_go_with_their_object(bucket, leave, tmp_path):
    client, lake = bucket
    lake.write("a/crop", b"a face")
    lake.write("a/crop/other", b"another")
    kept = lake.local_path("a/crop/other")
    lake.local_path("a/crop")
    if leave == "delete":
        lake.delete("a/crop")
    elif leave == "move":
        lake.move("a/crop", "b/crop")
    else:
        client.delete_object(Bucket="a-lake", Key="root/a/crop")
        with pytest.raises(ObjectMissing):
            lake.local_path("a/crop")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [kept]


def test_the_etag_makes_no_path(bucket, monkeypatch, tmp_path):
    _, lake = bucket
    lake.write("a/part", b"1")
    real = lake._client.get_object
    monkeypatch.setattr(lake._client, "get_object", lambda **wanted: real(**wanted) | {"ETag": '"../../../evil/\x00"'})
    monkeypatch.setattr(lake._client, "head_object", lambda **_: {"ETag": '"none"', "ContentLength": 1})
    assert lake.local_path("a/part").parent == tmp_path / "cache/a-lake/root/a/part"
