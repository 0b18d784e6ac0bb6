{#- Fails the build where a finished relation has a column of vectors or of image bytes: neither may reach a reader.
Called after every mart and seed (dbt_project.yml), so that a new one needs no word of its own. Lists of whole numbers
are counts, of numbers with a point they are vectors; int8 is how vectors are stored small, and bits smaller still: only
bitmaps of clusters are made of numbers that say nothing of a face. -#}
{% macro refuse_vectors_and_images(relation) %}
    {%- if execute %}
        {%- set found = run_query(
            "select column_name, data_type from information_schema.columns"
            ~ " where table_catalog = '"
            ~ relation.database
            ~ "' and table_schema = '"
            ~ relation.schema
            ~ "' and table_name = '"
            ~ relation.identifier
            ~ "' and (regexp_matches(data_type, '(FLOAT|DOUBLE|TINYINT|DECIMAL\([0-9,]+\))\[')"
            ~ " or contains(data_type, 'BLOB') or (data_type = 'BIT' and column_name <> 'cluster_bitmap')"
            ~ " or regexp_matches(column_name, '(^|_)(vector|embedding|landmarks|crop|image|jpeg|template)s?$'))"
        ) %}
        {%- if found.rows %}
            {%- do exceptions.raise_compiler_error(
                relation.identifier
                ~ ": expected no column of vectors or image bytes, got "
                ~ (found.rows | map("join", " ") | join(", "))
                ~ "; keep it in the private tier"
            ) %}
        {%- endif %}
    {%- endif %}
{% endmacro %}
